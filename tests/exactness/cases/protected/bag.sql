-- Rows without a key are counted by what is stored of them: those that only a dropped or masked column told apart are the same.
-- protect: ssn hash, card mask, note drop
CREATE TABLE t (ssn text, card text, note text, v int);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t SELECT 'kanarie', 'kanarie ' || g, 'kanarie ' || g, g % 2 FROM generate_series(1, 6) g;

-- while streaming
UPDATE t SET note = 'kanarie', card = 'kanarie' WHERE card = 'kanarie 1';

UPDATE t SET card = NULL WHERE card = 'kanarie 2';

DELETE FROM t WHERE card = 'kanarie 3';

INSERT INTO t VALUES ('kanarie', NULL, 'kanarie', 0), (NULL, 'kanarie', NULL, 1);

-- after a mark
UPDATE t SET ssn = 'kanarie 2' WHERE v = 0;
