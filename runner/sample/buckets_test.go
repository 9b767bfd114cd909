package sample

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Every latency is counted in a bucket that holds it, and buckets are narrow.
func TestBucketsHoldEveryLatency(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tally := NewTally()
	var all []time.Duration
	observe := func(d time.Duration) {
		all = append(all, d)
		tally.Add([]Observation{{Outcome: "blue", Latency: d}})
	}
	for _, d := range []time.Duration{0, 1, 999, 1000, 1001, 1999, 2000, time.Hour - 1, time.Hour, 2 * time.Hour} {
		observe(d)
	}
	for range 5000 {
		observe(time.Duration(1000 * r.ExpFloat64() * float64(int64(1)<<r.IntN(24))))
	}
	buckets := tally.Buckets()
	for i, b := range buckets {
		n := int64(0)
		for _, d := range all {
			if d >= b.Low && d < b.High {
				n++
			}
		}
		if n != b.Count {
			t.Errorf("[%s, %s) counts %d, and %d latencies lie in it", b.Low, b.High, b.Count, n)
		}
		if wide := b.High - b.Low; b.High < time.Hour && wide > b.Low/100 && wide > 2*time.Microsecond {
			t.Errorf("[%s, %s) is %s wide", b.Low, b.High, wide)
		}
		if i > 0 && b.Low < buckets[i-1].High {
			t.Errorf("[%s, %s) begins before the end of the one before, %s", b.Low, b.High, buckets[i-1].High)
		}
	}
	total := int64(0)
	for _, b := range buckets {
		total += b.Count
	}
	if total != int64(len(all)) {
		t.Errorf("%d of %d latencies are in the buckets", total, len(all))
	}
}

// Only answers that came are timed; nothing came: no buckets.
func TestBucketsOfNothing(t *testing.T) {
	tally := NewTally()
	tally.Add([]Observation{{Fault: Refused, Latency: time.Second}})
	if b := tally.Buckets(); len(b) != 0 {
		t.Errorf("got %v", b)
	}
}
