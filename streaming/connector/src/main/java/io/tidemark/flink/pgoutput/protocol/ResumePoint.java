package io.tidemark.flink.pgoutput.protocol;

/**
 * What the caller holds already: the stream must go on exactly there, or not at all.
 *
 * @param systemId empty when nothing was read yet: then the stream starts where the slot stands
 * @param databaseOid 0 when not known
 * @param endLsn everything that committed before it has been read
 */
public record ResumePoint(String systemId, int timeline, long databaseOid, long endLsn) {

    public boolean isFresh() {
        return systemId.isEmpty();
    }

    @Override
    public String toString() {
        return isFresh() ? "the slot's position" : Lsn.format(endLsn);
    }
}
