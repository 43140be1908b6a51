package io.tidemark.spark;

import io.tidemark.spark.proof.RowHash;
import io.tidemark.spark.text.CopyLine;
import io.tidemark.spark.text.DateTimeText;
import io.tidemark.spark.text.FloatText;
import io.tidemark.spark.text.NumericText;

import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke;
import org.apache.spark.sql.types.AbstractDataType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType$;

import scala.Option;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

import java.util.List;
import java.util.function.Function;

/**
 * Adds to Spark SQL, for each type whose values have a text of PostgreSQL's, {@code pg_<type>_in},
 * which reads it and gives NULL for a text that the type cannot hold, and {@code pg_<type>_out},
 * which writes it; {@code pg_copy_line(array of string)}, a line of COPY; and {@code
 * proof_key(string)} and {@code proof_row(array of string)}, the hashes of a proof.
 *
 * <p>Chosen by {@code spark.sql.extensions}, beside Delta's. They are static calls in generated
 * code: a Java UDF would box every value and make a String of every text.
 */
public final class TidemarkExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
    private static final DataType TEXT = DataTypes.StringType;
    private static final DataType TEXTS = DataTypes.createArrayType(TEXT);

    /** Registers the functions; Spark calls this once a session. */
    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        Class<?> times = DateTimeText.class;
        add(extensions, "pg_date_in", times, "readDate", TEXT, DataTypes.DateType);
        add(extensions, "pg_date_out", times, "writeDate", DataTypes.DateType, TEXT);
        DataType zoneless = DataTypes.TimestampNTZType;
        add(extensions, "pg_timestamp_in", times, "readTimestamp", TEXT, zoneless);
        add(extensions, "pg_timestamp_out", times, "writeTimestamp", zoneless, TEXT);
        DataType zoned = DataTypes.TimestampType;
        add(extensions, "pg_timestamptz_in", times, "readTimestamptz", TEXT, zoned);
        add(extensions, "pg_timestamptz_out", times, "writeTimestamptz", zoned, TEXT);
        add(extensions, "pg_numeric_in", NumericText.class, TidemarkExtensions::readNumeric);
        add(extensions, "pg_numeric_out", NumericText.class, TidemarkExtensions::writeNumeric);
        Class<?> floats = FloatText.class;
        add(extensions, "pg_float8_out", floats, "float8", DataTypes.DoubleType, TEXT);
        add(extensions, "pg_float4_out", floats, "float4", DataTypes.FloatType, TEXT);
        add(extensions, "pg_copy_line", CopyLine.class, "write", TEXTS, TEXT);
        add(extensions, "proof_key", RowHash.class, "key", TEXT, DataTypes.LongType);
        add(extensions, "proof_row", RowHash.class, "row", TEXTS, DataTypes.LongType);
        return BoxedUnit.UNIT;
    }

    /** The type of what is read follows from the other arguments: precision and scale. */
    private static Expression readNumeric(Seq<Expression> arguments) {
        DataType number = DataTypes.createDecimalType(literal(arguments, 1), literal(arguments, 2));
        List<AbstractDataType> types = List.of(TEXT, DataTypes.IntegerType, DataTypes.IntegerType);
        return call(NumericText.class, "read", types, number, arguments);
    }

    private static int literal(Seq<Expression> arguments, int position) {
        return (Integer) ((Literal) arguments.apply(position)).value();
    }

    private static Expression writeNumeric(Seq<Expression> arguments) {
        return call(NumericText.class, "write", List.of(DecimalType$.MODULE$), TEXT, arguments);
    }

    private static void add(
            SparkSessionExtensions extensions,
            String name,
            Class<?> owner,
            String method,
            DataType argument,
            DataType result) {
        add(
                extensions,
                name,
                owner,
                arguments -> call(owner, method, List.of(argument), result, arguments));
    }

    private static void add(
            SparkSessionExtensions extensions,
            String name,
            Class<?> owner,
            Function<Seq<Expression>, Expression> call) {
        AbstractFunction1<Seq<Expression>, Expression> builder =
                new AbstractFunction1<>() {
                    @Override
                    public Expression apply(Seq<Expression> arguments) {
                        return call.apply(arguments);
                    }
                };
        ExpressionInfo info = new ExpressionInfo(owner.getName(), name);
        extensions.injectFunction(new Tuple3<>(new FunctionIdentifier(name), info, builder));
    }

    private static Expression call(
            Class<?> owner,
            String method,
            List<AbstractDataType> types,
            DataType result,
            Seq<Expression> arguments) {
        boolean nullGivesNull = true;
        boolean nullable = true;
        boolean deterministic = true;
        return new StaticInvoke(
                owner,
                result,
                method,
                arguments,
                CollectionConverters.asScala(types).toSeq(),
                nullGivesNull,
                nullable,
                deterministic,
                Option.empty());
    }
}
