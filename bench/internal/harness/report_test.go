package harness_test

import (
	"testing"
	"time"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 999.6: "1,000", 1234: "1,234", 1e6: "1,000,000", 12_345_678: "12,345,678",
	} {
		if got := harness.Number(v); got != want {
			t.Errorf("%g is %s, want %s", v, got, want)
		}
	}
}

// The median is the middle one, or the mean of the two; a percentile is one of those that were measured.
func TestMedianAndPercentile(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := harness.Median(c.values); got != c.want {
			t.Errorf("the median of %v is %g, want %g", c.values, got, c.want)
		}
	}
	var all []time.Duration
	for i := range 100 {
		all = append(all, time.Duration(100-i))
	}
	for share, want := range map[float64]time.Duration{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := harness.Percentile(all, share); got != want {
			t.Errorf("of a hundred, %g is %d, want %d", share, got, want)
		}
	}
	if harness.Percentile(nil, 0.5) != 0 {
		t.Error("none have a percentile")
	}
}
