/* flagsmith 0.2.0 to 0.3.0: HTTP in SQL */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION flagsmith UPDATE TO '0.3.0'" to load this file. \quit
