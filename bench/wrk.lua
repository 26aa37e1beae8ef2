-- What wrk sends: the lines of a file, each "method TAB target TAB body", in turns, with the key of
-- the environment.  Each thread has lines of its own and talks to one of PORTS, so that with as
-- many threads as API instances each instance has as many clients as the others.
local ports, threads = {}, 0

function setup(thread)
	if #ports == 0 then
		for port in os.getenv("PORTS"):gmatch("%d+") do
			ports[#ports + 1] = wrk.lookup("127.0.0.1", port)[1]
		end
	end
	thread.addr = ports[threads % #ports + 1]
	thread:set("number", threads)
	threads = threads + 1
end

local requests, sent = {}, 0

function init(arguments)
	local file, count, n = arguments[1], tonumber(arguments[2]), 0
	wrk.headers["X-Environment-Key"] = arguments[3]
	wrk.headers["Content-Type"] = "application/json"
	for line in io.lines(file) do
		if n % count == number then
			local method, target, body = line:match("^(%u+)\t([^\t]*)\t(.*)$")
			requests[#requests + 1] = wrk.format(method, target, nil, body ~= "" and body or nil)
		end
		n = n + 1
	end
end

function request()
	sent = sent % #requests + 1
	return requests[sent]
end

function done(summary, latency)
	local e = summary.errors
	print(string.format('{"requests": %d, "seconds": %f, "bytes": %d, "p99": %f, "failed": %d}', summary.requests,
		summary.duration / 1e6, summary.bytes, latency:percentile(99) / 1000,
		e.connect + e.read + e.write + e.timeout + e.status))
end
