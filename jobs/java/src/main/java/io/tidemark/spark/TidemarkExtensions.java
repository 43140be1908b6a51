package io.tidemark.spark;

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
 * Adds {@code pg_float8(double)} and {@code pg_float4(float)} to Spark SQL: the text that
 * PostgreSQL writes.
 *
 * <p>Chosen by {@code spark.sql.extensions}, beside Delta's. They are static calls in generated
 * code: a Java UDF would box every value and make a String of every text.
 */
public final class TidemarkExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {

    /** Registers the functions; Spark calls this once a session. */
    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        extensions.injectFunction(function("pg_float8", "float8", DataTypes.DoubleType));
        extensions.injectFunction(function("pg_float4", "float4", DataTypes.FloatType));
        return BoxedUnit.UNIT;
    }

    private static Tuple3<
                    FunctionIdentifier,
                    ExpressionInfo,
                    scala.Function1<Seq<Expression>, Expression>>
            function(String name, String method, DataType argument) {
        ExpressionInfo info = new ExpressionInfo(FloatText.class.getName(), name);
        return new Tuple3<>(
                new FunctionIdentifier(name),
                info,
                new AbstractFunction1<>() {
                    @Override
                    public Expression apply(Seq<Expression> arguments) {
                        return call(method, argument, arguments);
                    }
                });
    }

    private static Expression call(String method, DataType argument, Seq<Expression> arguments) {
        Seq<AbstractDataType> types =
                CollectionConverters.asScala(java.util.List.<AbstractDataType>of(argument)).toSeq();
        boolean nullGivesNull = true;
        boolean nullable = true;
        boolean deterministic = true;
        return new StaticInvoke(
                FloatText.class,
                DataTypes.StringType,
                method,
                arguments,
                types,
                nullGivesNull,
                nullable,
                deterministic,
                Option.empty());
    }
}
