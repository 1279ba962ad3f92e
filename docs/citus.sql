-- Sessions and attempts spread over several PostgreSQL servers by Citus (12 or newer). Read what
-- docs/operators.md says of it first: it was checked against the rules of Citus, not run on it.
-- In place of partitions.sql, not after it. Stop the desk and its workers, make a backup, then, on
-- the coordinator, after CREATE EXTENSION citus and citus_add_node() for each worker:
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file docs/citus.sql "$DATABASE_URL"

-- Everything of one session has to be on one server, and nothing may be unique over all of them:
-- the distribution column has to be in every unique key. The public id keeps its other index, and
-- is unique by its 96 random bits.
ALTER TABLE troubleshooter_session DROP CONSTRAINT troubleshooter_session_public_id_key;
ALTER TABLE troubleshooter_attempt DROP CONSTRAINT troubleshooter_attempt_pkey;
ALTER TABLE troubleshooter_attempt ADD PRIMARY KEY (id, session_id);

-- Small tables stay on the coordinator, so they can no longer refer to sessions.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT conrelid::regclass AS owner, conname
        FROM pg_constraint
        WHERE confrelid = 'troubleshooter_session'::regclass
            AND conrelid <> 'troubleshooter_attempt'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.owner, found.conname);
    END LOOP;
END $$;

-- What every page of a session reads with it is on every server.
SELECT create_reference_table('troubleshooter_topic');
SELECT create_reference_table('troubleshooter_guide');
SELECT create_reference_table('troubleshooter_notice');
SELECT create_reference_table('troubleshooter_edition');
SELECT create_reference_table('troubleshooter_translation');

SELECT create_distributed_table('troubleshooter_session', 'id');
SELECT create_distributed_table('troubleshooter_attempt', 'session_id',
    colocate_with => 'troubleshooter_session');
