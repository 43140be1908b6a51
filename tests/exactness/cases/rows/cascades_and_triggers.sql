-- What foreign keys and triggers change besides is in the stream like all else.
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE, changed int);
CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
CREATE FUNCTION before() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changed := coalesce(NEW.changed, 0) + 1; RETURN NEW; END';
CREATE FUNCTION after() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN INSERT INTO log (what) VALUES (TG_OP || coalesce(NEW.id, OLD.id)); RETURN NULL; END';
CREATE TRIGGER b BEFORE INSERT OR UPDATE ON child FOR EACH ROW EXECUTE FUNCTION before();
CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON child FOR EACH ROW EXECUTE FUNCTION after();
INSERT INTO parent SELECT g, 'p' || g FROM generate_series(1, 4) g;
INSERT INTO child SELECT g, g % 4 + 1 FROM generate_series(1, 12) g;

-- while streaming
DELETE FROM parent WHERE id = 1;

UPDATE parent SET id = 20 WHERE id = 2;

INSERT INTO child VALUES (100, 3, NULL);
