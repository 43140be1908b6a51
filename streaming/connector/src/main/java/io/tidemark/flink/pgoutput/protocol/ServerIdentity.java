package io.tidemark.flink.pgoutput.protocol;

/**
 * Which log is being read. Together with a commit LSN and an ordinal it names an event for ever.
 *
 * @param systemId of the cluster, from initdb; copied to its replicas and backups
 * @param timeline one higher after each promotion or recovery to a point in time
 * @param databaseOid keeps its value when the database is renamed
 */
public record ServerIdentity(String systemId, int timeline, long databaseOid) {}
