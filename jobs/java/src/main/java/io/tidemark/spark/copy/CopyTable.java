package io.tidemark.spark.copy;

import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

import java.util.Arrays;
import java.util.Set;

/** What the queries of one read give, as Spark sees it. */
final class CopyTable implements SupportsRead {
    private final StructType schema;
    private final CopyOptions options;

    CopyTable(StructType schema, CopyOptions options) {
        Arrays.stream(schema.fields()).forEach(CopyTable::requireText);
        this.schema = schema;
        this.options = options;
    }

    private static void requireText(StructField column) {
        if (!column.dataType().equals(DataTypes.StringType) || !column.nullable()) {
            throw new IllegalArgumentException(
                    "column "
                            + column.name()
                            + " of a COPY is a nullable string, not "
                            + column.dataType().sql()
                            + ": read it as one and cast it afterwards");
        }
    }

    /** Names the table in plans and in the UI: never the URL, which may hold secrets. */
    @Override
    public String name() {
        return "copy";
    }

    @Override
    @SuppressWarnings("deprecation") // of schema(): Spark calls columns(), which converts this
    public StructType schema() {
        return schema;
    }

    @Override
    public Set<TableCapability> capabilities() {
        return Set.of(TableCapability.BATCH_READ);
    }

    @Override
    public ScanBuilder newScanBuilder(CaseInsensitiveStringMap same) {
        return () -> new CopyScan(schema, options);
    }
}
