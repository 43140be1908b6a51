-- What is kept of protected rows, deleted ones and old versions, is as protected as what is there.
-- spec: deletes: soft
-- spec: history: scd2
-- protect: id hash, ssn hash, card mask, note drop
CREATE TABLE kept (id text PRIMARY KEY, v int, ssn text, card text, note text);
INSERT INTO kept SELECT 'kanarie ' || g, g, 'kanarie ' || g, 'kanarie', 'kanarie' FROM generate_series(1, 7) g;

-- while streaming
UPDATE kept SET ssn = 'kanarie new', card = NULL, note = 'kanarie new' WHERE v = 1;

DELETE FROM kept WHERE v IN (2, 3);

INSERT INTO kept VALUES ('kanarie 3', 33, 'kanarie back', 'kanarie', NULL);

UPDATE kept SET id = 'kanarie moved', ssn = NULL WHERE v = 4;

-- after a mark
DELETE FROM kept WHERE v = 1;

UPDATE kept SET ssn = 'kanarie last' WHERE v = 5;
