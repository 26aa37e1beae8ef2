# shellcheck shell=bash disable=SC2016,SC2034
# What make test and make demo share: packages, a stage, a private PostgreSQL, pgbouncer.
#
# All that is built and started lies in one folder, the stage, in /tmp: socket paths are
# short there, and the servers, which refuse to run as root, can read it even where the
# checkout is closed to others.  When root calls, the stage belongs to "nobody" and all
# that runs in it runs as nobody.  The PostgreSQL in it is a copy of the installed one
# (programs copied, the rest symbolic links; PostgreSQL finds its files relative to its
# programs), so that the extension is installed there and nowhere else, without root.
# Servers listen on Unix sockets in the stage only, so no port is taken.
#
# The caller sets -euo pipefail and calls open_stage first; leaving by any way but
# SIGKILL ends what was started and removes the stage.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$top/build
sdk_python=$build/sdk/python/bin/python
stage=
job=
jobs=$(nproc 2>/dev/null || echo 1)

charmap=$(locale charmap 2>/dev/null || true)
export LC_ALL=C.UTF-8
unset MAKEFLAGS MFLAGS MAKELEVEL
pg_config=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
for variable in "${!PG@}"; do unset "$variable"; done # no server but our own

packages=(gcc libc6-dev make pkg-config libpcre2-dev libpq-dev libevent-dev libhttp-parser-dev zlib1g-dev libjansson-dev)
if [[ $pg_config == /usr/lib/postgresql/15/* ]]; then
	packages+=(postgresql-15 postgresql-server-dev-15)
fi
demo_packages=(pgbouncer curl python3-venv)
test_packages=(clang-14 clang-format-14 check libipc-run-perl perl python3-venv shellcheck)

say() {
	printf "%s\n" "$@"
}

die() {
	say "$*" >&2
	exit 1
}

# ---- packages ----

as_root() {
	if [[ $EUID -eq 0 ]]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Installs those of the named packages that are missing.
need_packages() {
	local missing=() package
	if ! command -v dpkg-query >/dev/null; then
		say "No dpkg here: taking for granted what these packages of Debian 12 bring: $*"
		return
	fi
	for package in "$@"; do
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
			missing+=("$package")
	done
	[[ ${#missing[@]} -gt 0 ]] || return 0

	say "Installing: ${missing[*]}"
	if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
		die "That needs root. Have an administrator run: apt-get install ${missing[*]}"
	fi
	as_root bash -s -- "${missing[@]}" <<<"$(declare -f install_packages); install_packages \"\$@\"" ||
		die "It failed. Install them by hand, then call this again: apt-get install ${missing[*]}"
}

# Runs as root, in a shell of its own.  Debian's packages would start a server: a cluster "main" and pgbouncer.
# Two files, there only meanwhile, and only if the machine has no such file, prevent it.
install_packages() {
	policy=/usr/sbin/policy-rc.d no_policy=
	cluster=/etc/postgresql-common/createcluster.d/flagsmith-no-main.conf # for the trap: not local
	export DEBIAN_FRONTEND=noninteractive

	[[ -e $policy ]] || no_policy=1
	trap 'rm -f "$cluster"
		rmdir --ignore-fail-on-non-empty "${cluster%/*}" || true
		[[ -z $no_policy ]] || rm -f "$policy"' EXIT
	trap 'exit 1' INT TERM HUP
	if [[ -n $no_policy ]]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	mkdir -p "${cluster%/*}"
	echo 'create_main_cluster = false' >"$cluster"

	get() { apt-get install -y -q --no-install-recommends "$@" </dev/null >&2; }
	get "$@" || { apt-get update -q >&2 && get "$@"; }
}

# Installs Flagsmith's SDK for Python, of the version that the tests pin; run it by $sdk_python.
install_python_sdk() {
	local wanted=$top/test/sdk/python/requirements.txt venv=${sdk_python%/bin/python}
	! cmp -s "$wanted" "$venv/installed.txt" || return 0
	python3 -m venv --clear "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check -r "$wanted" &&
		cp "$wanted" "$venv/installed.txt"
}

# build_crate SOURCE TARGET OPTION...: with the versions and checksums of SOURCE/Cargo.lock.in; where
# the machine's cargo takes crates from stands in a lock file of its own making.
build_crate() {
	local source=$1 target=$2 place
	shift 2
	mkdir -p "$target"
	cp -R "$source/Cargo.toml" "$source/src" "$target"
	(cd "$target" && rm -f Cargo.lock && cargo generate-lockfile) || return 1
	place=$(grep -m 1 '^source = ' "$target/Cargo.lock") || return 1
	awk -v place="$place" '{ if (/^checksum = /) print place; print }' "$source/Cargo.lock.in" >"$target/Cargo.lock"
	(cd "$target" && cargo build --locked "$@")
}

# ---- the stage ----

open_stage() {
	stage=$(mktemp -d /tmp/flagsmith.XXXXXX)
	trap close_stage EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir "$stage/tmp"
	mkdir -p "$build/log"
	if [[ $EUID -eq 0 ]]; then
		chown -R nobody: "$stage"
	fi
}

# Runs a command as the unprivileged user, in the stage.
as_user() {
	local step=()
	if [[ $EUID -eq 0 ]]; then
		step=(setpriv --reuid=nobody "--regid=$(id -g nobody)" --clear-groups --)
	fi
	(cd "$stage" && exec "${step[@]}" env HOME="$stage" TMPDIR="$stage/tmp" "$@")
}

# Runs a command as a job with a process group of its own, so that a signal to us ends it
# at once.
in_job() {
	local status=0
	set -m
	"$@" </dev/null &
	job=$!
	set +m
	wait "$job" || status=$?
	job=
	return "$status"
}

# logged NAME COMMAND…: a job with its output on the screen and in build/log/NAME.log.
logged() {
	in_job tee_output "$@"
}

tee_output() {
	local log=$build/log/$1.log
	shift
	"$@" 2>&1 | tee "$log"
}

# quiet NAME COMMAND…: a job with its output in build/log/NAME.log, shown if it fails.
quiet() {
	in_job keep_output "$@" || { tail -n 40 "$build/log/$1.log" && return 1; }
}

keep_output() {
	local log=$build/log/$1.log
	shift
	"$@" >"$log" 2>&1
}

# Sends signal $1 to process $2 and waits until it has ended, ten seconds at most.  The
# shell's own kill: the program of that name is missing on a small Debian.
stop_process() {
	as_user bash -c 'kill "-$1" "$2" 2>/dev/null || exit 0
		for ((i = 0; i < 100; i++)); do
			kill -0 "$2" 2>/dev/null || exit 0
			sleep 0.1
		done
		kill -KILL "$2" 2>/dev/null || true' bash "$1" "$2"
}

# Ends every server whose pid file lies in the stage, those of TAP tests included.
stop_servers() {
	local file
	while read -r file; do
		stop_process TERM "$(head -n 1 "$file")"
	done < <(find "$stage" -name pgbouncer.pid -o -name nginx.pid -o -name 'api.*.pid')
	while read -r file; do
		stop_process QUIT "$(head -n 1 "$file")"
	done < <(find "$stage" -name postmaster.pid)
}

close_stage() {
	trap '' INT TERM HUP
	trap - EXIT
	if [[ -n $job ]]; then
		kill -TERM -- "-$job" 2>/dev/null || true
		wait "$job" 2>/dev/null || true
	fi
	stop_servers
	rm -rf "$stage"
}

# Copies the checkout without what was built in it.
copy_source() {
	tar -C "$top" -cf - --exclude-vcs --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude=flagsmith-api \
		--exclude=./build --exclude=./results --exclude=./output_iso --exclude=./tmp_check . |
		as_user sh -c 'mkdir -p "$1" && tar -C "$1" --no-same-owner -xf -' sh "$1"
}

# ---- PostgreSQL ----

# Makes a copy of the PostgreSQL of pg_config $1 in folder $2; prints its pg_config.
private_postgres() {
	local bin lib share libdir include prefix
	bin=$("$1" --bindir) lib=$("$1" --pkglibdir) share=$("$1" --sharedir)
	libdir=$("$1" --libdir) include=$("$1" --includedir)
	[[ $lib/ != "$libdir"/* ]] || lib=$libdir
	prefix=$bin
	while [[ $lib/ != "$prefix"/* || $share/ != "$prefix"/* || $include/ != "$prefix"/* ]]; do
		prefix=${prefix%/*}
	done
	as_user sh -c 'set -e
		prefix=$1 dest=$2 bin=$3 lib=$4 share=$5 include=$6
		for i in "$bin" "$lib" "$share" "$include"; do
			at=$dest${i#"$prefix"}
			mkdir -p "${at%/*}"
			case $i in
				"$bin") cp -R -L "$i" "$at" ;;
				"$include") ln -s "$i" "$at" ;;
				*) cp -R -s "$i" "$at" ;;
			esac
		done' sh "$prefix" "$2" "$bin" "$lib" "$share" "$include"
	say "$2${bin#"$prefix"}/pg_config"
}

# Starts a cluster named $1 with the PostgreSQL of pg_config $2 and points PGHOST, PGPORT
# and PGUSER to it.
start_cluster() {
	local bin data=$stage/$1/data
	bin=$("$2" --bindir)
	as_user mkdir -p "$stage/$1/socket"
	as_user "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
		>"$build/log/initdb-$1.log" 2>&1 || { cat "$build/log/initdb-$1.log"; return 1; }
	as_user tee -a "$data/postgresql.conf" >/dev/null <<-EOF
		listen_addresses = ''
		unix_socket_directories = '$stage/$1/socket'
		port = 5432
		fsync = off
		cluster_name = 'flagsmith $1'
		log_line_prefix = '%m [%p] %d '
	EOF
	as_user "$bin/pg_ctl" -s -w -D "$data" -l "$stage/$1/log" start </dev/null ||
		{ tail -n 20 "$stage/$1/log"; return 1; }
	export PGHOST=$stage/$1/socket PGPORT=5432 PGUSER=postgres
}

stop_cluster() {
	local pid=$stage/$1/data/postmaster.pid
	[[ ! -e $pid ]] || stop_process INT "$(head -n 1 "$pid")"
}

# Starts pgbouncer, with the project's configuration, before the cluster named $1; it
# listens on the socket of port 6432 in the same folder.  Its files are in pgbouncer/ there.
start_pgbouncer() {
	local dir=$stage/$1/pgbouncer server="host=$stage/$1/socket port=5432"
	as_user mkdir -p "$dir"
	as_user tee "$dir/userlist.txt" >/dev/null <<<'"postgres" ""'
	# Trust: the folder of the sockets is closed to other users.
	as_user tee "$dir/local.ini" >/dev/null <<-EOF
		unix_socket_dir = $stage/$1/socket
		listen_addr =
		auth_type = trust
		auth_file = $dir/userlist.txt
		admin_users = postgres
		[databases]
		flagsmith = $server
		flagsmith_read = $server dbname=flagsmith
		flagsmith_admin = $server dbname=flagsmith pool_size=2 reserve_pool=0
		* = $server
	EOF
	as_user "$stage/src/pgbouncer/start" "$dir" || return 1
	"$(dirname "$pg_config")/pg_isready" -q -p 6432
}

# Starts an API instance named $2 before pgbouncer of the cluster named $1 and its database
# $3; sets api_url to where it listens.
start_api() {
	local file=$stage/$1/api.$2 i port
	as_user setsid sh -c 'echo $$ >"$1.pid"; exec 2>"$1.log"; shift; exec "$@"' sh "$file" \
		"$stage/src/api/flagsmith-api" --port 0 --database "host=$stage/$1/socket port=6432 dbname=$3 user=postgres" \
		</dev/null >/dev/null 2>&1 &
	for ((i = 0; i < 100; i++)); do
		port=$(sed -n 's/.*"event":"listening","port":\([0-9]*\).*/\1/p' "$file.log" 2>/dev/null || true)
		[[ -z $port ]] || { api_url=http://127.0.0.1:$port && return; }
		sleep 0.05
	done
	cat "$file.log"
	return 1
}
