-- TRUNCATE of several tables, by CASCADE and with RESTART IDENTITY, with rows before and after it in its transaction.
CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE c (v text);
ALTER TABLE c REPLICA IDENTITY FULL;
INSERT INTO a (v) SELECT 'v' || g FROM generate_series(1, 5) g;
INSERT INTO b SELECT g, g FROM generate_series(1, 5) g;
INSERT INTO c SELECT 'twin' FROM generate_series(1, 5);

-- while streaming
BEGIN;
INSERT INTO a (v) VALUES ('before');
INSERT INTO c VALUES ('before');
TRUNCATE a, c RESTART IDENTITY CASCADE;
INSERT INTO a (v) VALUES ('after');
INSERT INTO b VALUES (1, 1);
INSERT INTO c VALUES ('after'), ('after');
COMMIT;

UPDATE a SET v = v || '!';

-- after a mark
TRUNCATE b;

TRUNCATE b;

INSERT INTO b VALUES (2, 1);
