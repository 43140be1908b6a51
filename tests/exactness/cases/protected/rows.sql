-- Protected columns are hashed, masked or left out, whatever is done to their rows; a key too, and one with a constant default.
-- protect: id hash, ssn hash, card mask, note drop, tax hash
CREATE TABLE people (id text PRIMARY KEY, v int, ssn text, card text, note text);
ALTER TABLE people ALTER ssn SET STORAGE EXTERNAL, ALTER note SET STORAGE EXTERNAL;
INSERT INTO people SELECT 'kanarie ' || g, g, repeat('kanarie', 1000), 'kanarie', repeat('kanarie', 999) FROM generate_series(1, 9) g;
ALTER TABLE people ADD tax text DEFAULT 'kanarie';
CREATE TABLE visits (n int PRIMARY KEY, id text);
INSERT INTO visits SELECT g, 'kanarie ' || g FROM generate_series(1, 5) g;

-- while streaming
INSERT INTO people VALUES ('kanarie 10', 10, 'kanarie', 'kanarie', 'kanarie', NULL), ('', 11, '', '', '', '');

INSERT INTO people (id, v) VALUES ('other', 12);

UPDATE people SET v = v + 100 WHERE v < 4;

UPDATE people SET id = 'kanarie twenty', ssn = NULL, card = NULL WHERE v = 4;

UPDATE people SET id = id || '!' WHERE v = 5;

UPDATE people SET ssn = 'kanarie', note = NULL WHERE v = 6;

DELETE FROM people WHERE v = 7;

INSERT INTO visits VALUES (6, 'kanarie 10'), (7, NULL);

-- after a mark
UPDATE people SET tax = 'kanarie', v = v + 1;

DELETE FROM people WHERE id = 'kanarie twenty';

UPDATE visits SET id = 'kanarie 9' WHERE n = 1;
