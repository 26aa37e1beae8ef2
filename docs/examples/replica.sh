#!/bin/sh
# A replica in another region: a hot standby there, and an API instance that reads from it and
# writes to the primary. Runs there, where the extension is installed as on the primary.
#
# PRIMARY       the primary, for its administrator: host=... port=5432 user=postgres
# REPLICA_DATA  the folder of the standby's data, which is not there yet
# PRIMARY_DSN   for the instance: the primary's pgbouncer, host=... port=6432 sslmode=require ...
# REPLICA_DSN   for the instance: the standby, or the pgbouncer before it
# API_PORT      where the instance listens (8000)
# PG_OPTIONS    options of the standby's server, such as -k /var/run/postgresql
set -eu

# A role for the replica and a slot: the primary keeps what the standby has not got yet, 1 GB at
# most, so that a region which is cut off for long does not fill its disk. The primary's
# pg_hba.conf must let the role in: hostssl replication flagsmith_replica REGION scram-sha-256
psql -Xq -v ON_ERROR_STOP=1 -d "$PRIMARY dbname=postgres" <<-'SQL'
	CREATE ROLE flagsmith_replica LOGIN REPLICATION;
	ALTER SYSTEM SET max_slot_wal_keep_size = '1GB';
	SELECT pg_reload_conf() \g /dev/null
SQL

# The copy. Its settings are the primary's, those for streaming are added.
pg_basebackup -d "$PRIMARY user=flagsmith_replica" -D "$REPLICA_DATA" --checkpoint=fast \
	--create-slot --slot=flagsmith_replica --write-recovery-conf

# A query that replay would wait for is ended after a second: flags are current, and SDKs repeat.
echo "max_standby_streaming_delay = 1s" >>"$REPLICA_DATA/postgresql.auto.conf"
pg_ctl -s -w -D "$REPLICA_DATA" -l "$REPLICA_DATA.log" -o "${PG_OPTIONS:-}" start

exec flagsmith-api --port "${API_PORT:-8000}" --database "$PRIMARY_DSN" --replica "$REPLICA_DSN"
