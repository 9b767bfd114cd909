package sample

import "time"

// Bucket counts the latencies of at least Low and less than High.
type Bucket struct {
	Low, High time.Duration
	Count     int64
}

// Buckets is the histogram of the latencies that Latency sums up, in order and
// without the buckets that counted nothing. A bucket is at most 1 % wide, or a
// microsecond.
func (t *Tally) Buckets() []Bucket {
	var buckets []Bucket
	for _, bar := range t.latency.Distribution() {
		if bar.Count == 0 {
			continue
		}
		// Whole microseconds are recorded: what took 1024.9 is in 1024.
		b := Bucket{time.Duration(bar.From) * time.Microsecond, time.Duration(bar.To+1) * time.Microsecond, bar.Count}
		if bar.From <= 1 {
			b.Low = 0 // what took less is recorded as 1
		}
		if bar.To >= longest {
			b.High = max(b.High, t.max+1) // and what took longer as the longest
		}
		buckets = append(buckets, b)
	}
	return buckets
}
