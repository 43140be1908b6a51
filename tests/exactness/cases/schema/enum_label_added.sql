-- An enum gets another value.
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE t (id int PRIMARY KEY, v state);
INSERT INTO t VALUES (1, 'new');

-- while streaming
ALTER TYPE state ADD VALUE 'draft' BEFORE 'new';

INSERT INTO t VALUES (2, 'draft');
