-- Logical messages, in a transaction and beside it, are no changes.
CREATE TABLE t (id int PRIMARY KEY);

-- while streaming
SELECT pg_logical_emit_message(false, 'app', 'beside');

BEGIN;
SELECT pg_logical_emit_message(true, 'app', 'first');
INSERT INTO t VALUES (1);
SELECT pg_logical_emit_message(true, 'app', 'between');
INSERT INTO t VALUES (2);
COMMIT;
