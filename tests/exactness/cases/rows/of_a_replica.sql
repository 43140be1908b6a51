-- A session that takes the part of a replica fires no trigger and checks no reference; what it writes is in the stream.
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent, v text);
CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER no BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION no();
INSERT INTO parent SELECT generate_series(1, 3);
INSERT INTO child SELECT g, g, 'v' FROM generate_series(1, 3) g;

-- while streaming
UPDATE child SET v = 'not written' WHERE id = 1;

SET session_replication_role = replica;
UPDATE child SET v = 'written' WHERE id = 2;
DELETE FROM parent WHERE id = 3;
INSERT INTO child VALUES (4, 99, 'of nobody');
RESET session_replication_role;
