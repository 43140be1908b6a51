-- Old rows that the stream brings whole are protected as new ones are.
-- protect: ssn hash, card mask, note drop
CREATE TABLE t (id int PRIMARY KEY, ssn text, card text, note text, v text);
ALTER TABLE t REPLICA IDENTITY FULL;
ALTER TABLE t ALTER ssn SET STORAGE EXTERNAL, ALTER note SET STORAGE EXTERNAL;
INSERT INTO t SELECT g, repeat('kanarie', 1000), 'kanarie', repeat('kanarie', 1000), 'v' FROM generate_series(1, 5) g;

-- while streaming
UPDATE t SET v = 'w' WHERE id < 4;

UPDATE t SET id = 9, ssn = 'kanarie' WHERE id = 2;

DELETE FROM t WHERE id = 3;

-- after a mark
UPDATE t SET card = NULL, note = 'kanarie';
