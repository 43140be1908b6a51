package io.tidemark.flink.pgoutput.testing;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.groups.SourceReaderMetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.runtime.metrics.groups.InternalSourceReaderMetricGroup;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps the metrics that a reader registers, by name. */
public final class TestMetrics extends UnregisteredMetricsGroup {
    private final Map<String, Metric> metrics = new ConcurrentHashMap<>();

    public SourceReaderMetricGroup group() {
        return InternalSourceReaderMetricGroup.mock(this);
    }

    @Override
    public Counter counter(String name) {
        return counter(name, super.counter(name));
    }

    @Override
    public <C extends Counter> C counter(String name, C counter) {
        metrics.put(name, counter);
        return counter;
    }

    @Override
    public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
        metrics.put(name, gauge);
        return gauge;
    }

    public long value(String name) {
        Metric metric = metrics.get(name);
        if (metric instanceof Counter counter) {
            return counter.getCount();
        }
        return (Long) ((Gauge<?>) metric).getValue();
    }
}
