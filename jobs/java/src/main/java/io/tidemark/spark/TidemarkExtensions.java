package io.tidemark.spark;

import io.tidemark.spark.proof.RowHash;
import io.tidemark.spark.text.FloatText;

import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke;
import org.apache.spark.sql.types.AbstractDataType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

import scala.Option;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * Adds to Spark SQL {@code pg_float8(double)} and {@code pg_float4(float)}, the text that
 * PostgreSQL writes, and {@code proof_key(string)} and {@code proof_row(array of string)}, the
 * hashes of a proof.
 *
 * <p>Chosen by {@code spark.sql.extensions}, beside Delta's. They are static calls in generated
 * code: a Java UDF would box every value and make a String of every text.
 */
public final class TidemarkExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {

    /** Registers the functions; Spark calls this once a session. */
    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        DataType text = DataTypes.StringType;
        DataType texts = DataTypes.createArrayType(text);
        add(extensions, "pg_float8", FloatText.class, "float8", DataTypes.DoubleType, text);
        add(extensions, "pg_float4", FloatText.class, "float4", DataTypes.FloatType, text);
        add(extensions, "proof_key", RowHash.class, "key", text, DataTypes.LongType);
        add(extensions, "proof_row", RowHash.class, "row", texts, DataTypes.LongType);
        return BoxedUnit.UNIT;
    }

    private static void add(
            SparkSessionExtensions extensions,
            String name,
            Class<?> owner,
            String method,
            DataType argument,
            DataType result) {
        AbstractFunction1<Seq<Expression>, Expression> builder =
                new AbstractFunction1<>() {
                    @Override
                    public Expression apply(Seq<Expression> arguments) {
                        return call(owner, method, argument, result, arguments);
                    }
                };
        ExpressionInfo info = new ExpressionInfo(owner.getName(), name);
        extensions.injectFunction(new Tuple3<>(new FunctionIdentifier(name), info, builder));
    }

    private static Expression call(
            Class<?> owner,
            String method,
            DataType argument,
            DataType result,
            Seq<Expression> arguments) {
        Seq<AbstractDataType> types =
                CollectionConverters.asScala(java.util.List.<AbstractDataType>of(argument)).toSeq();
        boolean nullGivesNull = true;
        boolean nullable = true;
        boolean deterministic = true;
        return new StaticInvoke(
                owner,
                result,
                method,
                arguments,
                types,
                nullGivesNull,
                nullable,
                deterministic,
                Option.empty());
    }
}
