-- Sessions and attempts by month, for a help desk on PostgreSQL (13 or newer) with many millions of
-- sessions. docs/operators.md says when it pays and what is given up; tests/test_partitions.py runs
-- this file. Stop the desk and its workers, make a backup, then, as the desk's own account:
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file docs/partitions.sql "$DATABASE_URL"
--     psql --command "CALL helpdesk_begin_month()" "$DATABASE_URL"
--
-- The number of a session says its month: 202611000000000042 began in November 2026. So what says
-- which month is in every key and every reference, and all that made sure that things are there
-- once still does, but for the public id of a session (96 random bits), which is unique in its
-- month alone. What was there before becomes one partition as it is; no row is copied.

-- The first number of a month.
CREATE FUNCTION helpdesk_first(month date) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT to_char(month, 'YYYYMM')::bigint * 1000000000000 $$;

-- Make a table one that has partitions by `key`; what is in it becomes the partition “before”.
CREATE PROCEDURE helpdesk_divide(what text, key text, primary_key text) LANGUAGE plpgsql AS $$
DECLARE
    before text := what || '_before';
    made text[] := '{}';  -- what the new table is given before it takes the old one in,
    later text[] := '{}';  -- and after: references
    again text;
    found record;
    numbers bigint;
BEGIN
    -- Who refers to it, what it refers to, and what is unique by the key: as it was.
    FOR found IN
        SELECT conrelid::regclass AS owner, conname, contype, pg_get_constraintdef(oid) AS said
        FROM pg_constraint
        WHERE conparentid = 0
            AND (confrelid = what::regclass OR (conrelid = what::regclass AND contype IN ('f', 'u')))
    LOOP
        CONTINUE WHEN found.contype = 'u' AND found.said !~ ('\m' || key || '\M');
        again := format('ALTER TABLE %s ADD CONSTRAINT %I %s', found.owner, found.conname, found.said);
        IF found.contype = 'u' THEN
            made := made || again;
        ELSE
            later := later || again;
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.owner, found.conname);
        END IF;
    END LOOP;
    -- Every other index, as it was. What is unique without the key is so in each partition alone.
    FOR found IN
        SELECT index.relname AS name, pg_get_indexdef(indexrelid) AS said, conname, contype
        FROM pg_index
        JOIN pg_class AS index ON index.oid = indexrelid
        LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')
        WHERE indrelid = what::regclass
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', found.name, left(found.name, 56) || '_before');
        CONTINUE WHEN found.contype IN ('p', 'u');
        made := made || found.said;
    END LOOP;
    EXECUTE format('SELECT coalesce(max(id), 0) FROM %I', what) INTO numbers;
    EXECUTE format('ALTER TABLE %I ALTER id DROP IDENTITY', what);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', what, before);
    EXECUTE format('CREATE SEQUENCE %I', what || '_id_seq');
    PERFORM setval((what || '_id_seq')::regclass, numbers + 1, false);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (%I)', what, before, key);
    EXECUTE format('ALTER TABLE %I ALTER id SET DEFAULT nextval(%L)', what, what || '_id_seq');
    EXECUTE format('ALTER SEQUENCE %I OWNED BY %I.id', what || '_id_seq', what);
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (%s)', what, primary_key);
    IF primary_key <> 'id' THEN
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', before, what || '_pkey_before');
        EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (%s)', before, primary_key);
    END IF;
    FOREACH again IN ARRAY made LOOP
        EXECUTE again;
    END LOOP;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%s)', what, before,
        helpdesk_first(date_trunc('month', now())::date));
    FOREACH again IN ARRAY later LOOP
        EXECUTE again;
    END LOOP;
END $$;

-- To start processes for one statement costs fifty times what they save where it looks into months.
DO $$ BEGIN
    EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET max_parallel_workers_per_gather = 0',
        current_database());
END $$;
CALL helpdesk_divide('troubleshooter_session', 'id', 'id');
CALL helpdesk_divide('troubleshooter_attempt', 'session_id', 'id, session_id');
-- PostgreSQL never does this by itself for a table that has partitions; without, it plans badly.
ANALYZE troubleshooter_session, troubleshooter_attempt;

-- A partition like its table, for the numbers of one month.
CREATE PROCEDURE helpdesk_attach(what text, part text, month date) LANGUAGE plpgsql AS $$
BEGIN
    IF what = 'troubleshooter_session' THEN
        EXECUTE format('CREATE UNIQUE INDEX ON %I (public_id)', part);
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', what, part,
        helpdesk_first(month), helpdesk_first((month + interval '1 month')::date));
END $$;

-- From now on sessions get numbers of this month. For a timer, every day: when it was done it only
-- looks at the tables for the planner, and while it was not, sessions go on in the month before.
CREATE PROCEDURE helpdesk_begin_month(month date DEFAULT current_date) LANGUAGE plpgsql AS $$
DECLARE
    what text;
    part text;
    last bigint;
BEGIN
    month := date_trunc('month', month);
    SET LOCAL lock_timeout = '2s';  -- whoever waits for us waits no longer; the next day will do
    FOREACH what IN ARRAY ARRAY['troubleshooter_session', 'troubleshooter_attempt'] LOOP
        part := what || to_char(month, '_YYYYMM');
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, what);
        CALL helpdesk_attach(what, part, month);
    END LOOP;
    COMMIT;  -- the partitions are there before the first number
    SELECT last_value INTO last FROM troubleshooter_session_id_seq;
    IF last < helpdesk_first(month) THEN
        PERFORM setval('troubleshooter_session_id_seq', helpdesk_first(month));
    END IF;
    COMMIT;
    ANALYZE troubleshooter_session, troubleshooter_attempt;  -- see above: a few seconds, each day
END $$;

-- Drop the sessions of one month: no row is deleted, its files go. The days must be sealed before
-- (manage.py purge --seal) and the links must have ended. Sessions with an escalation or a
-- follow-up stay, because numbers are read from them.
CREATE PROCEDURE helpdesk_drop_month(month date) LANGUAGE plpgsql AS $$
DECLARE
    sessions text := 'troubleshooter_session' || to_char(month, '_YYYYMM');
    attempts text := 'troubleshooter_attempt' || to_char(month, '_YYYYMM');
    kept bigint[];
    alive bigint;
    last bigint;
    later text[] := '{}';
    again text;
    found record;
BEGIN
    month := date_trunc('month', month);
    SELECT last_value INTO last FROM troubleshooter_session_id_seq;
    IF last < helpdesk_first((month + interval '1 month')::date) THEN
        RAISE EXCEPTION 'new sessions still go into %', sessions;
    END IF;
    EXECUTE format('LOCK TABLE %I, %I IN ACCESS EXCLUSIVE MODE', sessions, attempts);
    EXECUTE format(
        'SELECT count(*) FROM %I WHERE last_answer_at >= now() - interval ''30 days'' OR started_at'
        ' >= coalesce((SELECT sealed_before FROM troubleshooter_look), ''-infinity'') - interval ''1 day''',
        sessions) INTO alive;
    IF alive > 0 THEN
        RAISE EXCEPTION '% sessions of % are not sealed yet, or their links still open', alive, sessions;
    END IF;
    EXECUTE format('DELETE FROM troubleshooter_handover WHERE session_id IN (SELECT id FROM %I)', sessions);
    EXECUTE format(
        'SELECT coalesce(array_agg(id), ''{}'') FROM %I WHERE id IN (SELECT session_id FROM troubleshooter_escalation'
        ' UNION SELECT session_id FROM troubleshooter_followup)', sessions) INTO kept;
    FOR found IN
        SELECT conrelid::regclass AS owner, conname, pg_get_constraintdef(oid) AS said
        FROM pg_constraint
        WHERE confrelid = 'troubleshooter_session'::regclass AND conparentid = 0
            AND conrelid <> 'troubleshooter_attempt'::regclass
    LOOP
        later := later
            || format('ALTER TABLE %s ADD CONSTRAINT %I %s', found.owner, found.conname, found.said);
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.owner, found.conname);
    END LOOP;
    CALL helpdesk_keep('troubleshooter_attempt', attempts, 'session_id', kept);
    CALL helpdesk_keep('troubleshooter_session', sessions, 'id', kept);
    IF cardinality(kept) > 0 THEN
        CALL helpdesk_attach('troubleshooter_session', sessions, month);
        CALL helpdesk_attach('troubleshooter_attempt', attempts, month);
    ELSE
        EXECUTE format('DROP TABLE %I, %I', attempts, sessions);
    END IF;
    FOREACH again IN ARRAY later LOOP
        EXECUTE again;
    END LOOP;
END $$;

-- Take a partition away and leave a table of its name with these few of its rows.
CREATE PROCEDURE helpdesk_keep(what text, part text, key text, kept bigint[]) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', what, part);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', part, part || '_gone');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, what);
    EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE %I = ANY ($1)', part, part || '_gone', key) USING kept;
    EXECUTE format('DROP TABLE %I', part || '_gone');
END $$;
