-- What wrk sends: the lines of a file, each "method TAB target TAB body", in turns, with the key of
-- the environment.  Each thread has lines of its own and talks to one of PORTS, so that with as
-- many threads as API instances each instance has as many clients as the others.
--
-- wrk starts its threads one after the other, and its clock when all are there: what the first
-- have been answered until then would count, the time would not.  So all wait for one moment.
local ffi = require("ffi")
ffi.cdef("typedef struct { long s, ns; } moment; int clock_gettime(int, moment *); int usleep(unsigned);")

local function seconds()
	local now = ffi.new("moment")
	ffi.C.clock_gettime(1, now)
	return tonumber(now.s) + tonumber(now.ns) / 1e9
end

local ports, threads, start = {}, 0, nil

function setup(thread)
	if #ports == 0 then
		for port in os.getenv("PORTS"):gmatch("%d+") do
			ports[#ports + 1] = wrk.lookup("127.0.0.1", port)[1]
		end
	end
	thread.addr = ports[threads % #ports + 1]
	start = start or seconds() + 0.1 + 0.01 * #ports
	thread:set("number", threads)
	thread:set("moment", start)
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
	if sent == 0 then
		ffi.C.usleep(math.max(0, moment - seconds()) * 1e6)
	end
	sent = sent % #requests + 1
	return requests[sent]
end

function done(summary, latency)
	local e = summary.errors
	print(string.format('{"requests": %d, "seconds": %f, "bytes": %d, "p99": %f, "failed": %d}', summary.requests,
		seconds() - start, summary.bytes, latency:percentile(99) / 1000,
		e.connect + e.read + e.write + e.timeout + e.status))
end
