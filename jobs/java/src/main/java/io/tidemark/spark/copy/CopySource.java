package io.tidemark.spark.copy;

import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableProvider;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

import java.util.Map;

/**
 * Reads PostgreSQL by {@code COPY … TO STDOUT}, in parallel, inside one exported snapshot.
 *
 * <p>Every column is a nullable string: PostgreSQL's own text of the value. Used as {@code
 * spark.read.format( "io.tidemark.spark.copy.CopySource")} with the options of {@link CopyOptions}
 * and, instead of the options {@code column.<i>}, a schema of strings if the caller likes.
 *
 * <p>Guarantees that all partitions see the database as of the snapshot. Its caller has to keep the
 * snapshot's transaction open until the read is over, and to hold ACCESS SHARE locks from before
 * the snapshot: TRUNCATE and rewriting ALTER TABLE ignore snapshots. Nothing is tried again in
 * here; a task that Spark repeats reads the same rows.
 */
public final class CopySource implements TableProvider {

    @Override
    public StructType inferSchema(CaseInsensitiveStringMap options) {
        return new CopyOptions(options).schema();
    }

    @Override
    public Table getTable(
            StructType schema, Transform[] partitioning, Map<String, String> options) {
        return new CopyTable(schema, new CopyOptions(new CaseInsensitiveStringMap(options)));
    }

    @Override
    public boolean supportsExternalMetadata() {
        return true;
    }
}
