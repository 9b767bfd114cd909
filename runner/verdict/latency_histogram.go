package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Bucket counts latencies of at least Low and less than High.
type Bucket struct {
	Low, High time.Duration
	Count     int64
}

// A Histogram is latencies, counted in buckets that are in order and do not
// overlap. There may be room between them. As text, in a record, it is one
// line: "us 1024-1032:12 1040-1048:3", the unit (ns, us, ms or s) and then the
// buckets.
type Histogram []Bucket

// Total is the number of latencies.
func (h Histogram) Total() int64 {
	n := int64(0)
	for _, b := range h {
		n += b.Count
	}
	return n
}

// Validate returns the first thing that is wrong.
func (h Histogram) Validate() error {
	total := int64(0)
	for i, b := range h {
		switch total += b.Count; {
		case b.Low < 0 || b.High <= b.Low:
			return fmt.Errorf("bucket %d is from %s to %s", i+1, b.Low, b.High)
		case b.Count < 0 || total < 0 || total > 1e15:
			return fmt.Errorf("bucket %d, from %s to %s, counts %d", i+1, b.Low, b.High, b.Count)
		case i > 0 && b.Low < h[i-1].High:
			return fmt.Errorf("bucket %d, from %s to %s, begins before the end of the one before, %s", i+1, b.Low, b.High, h[i-1].High)
		}
	}
	return nil
}

// rank is the bucket of the i-th latency in order, from 1 to Total.
func (h Histogram) rank(i int64) Bucket {
	for _, b := range h {
		if i -= b.Count; i <= 0 {
			return b
		}
	}
	return Bucket{}
}

// units are those of the text form, the largest first.
var units = []struct {
	name string
	of   time.Duration
}{{"s", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond}}

// MarshalText writes the histogram on one line; empty buckets are left out.
func (h Histogram) MarshalText() ([]byte, error) {
	if err := h.Validate(); err != nil {
		return nil, err
	}
	unit := units[0]
	for _, u := range units {
		unit = u
		if !slices.ContainsFunc(h, func(b Bucket) bool { return b.Low%u.of != 0 || b.High%u.of != 0 }) {
			break
		}
	}
	text := []byte(unit.name)
	for _, b := range h {
		if b.Count > 0 {
			text = fmt.Appendf(text, " %d-%d:%d", b.Low/unit.of, b.High/unit.of, b.Count)
		}
	}
	return text, nil
}

// UnmarshalText reads what MarshalText writes.
func (h *Histogram) UnmarshalText(text []byte) error {
	words := strings.Fields(string(text))
	if len(words) == 0 {
		return fmt.Errorf("a histogram begins with its unit (s, ms, us or ns)")
	}
	i := slices.IndexFunc(units, func(u struct {
		name string
		of   time.Duration
	}) bool {
		return u.name == words[0]
	})
	if i < 0 {
		return fmt.Errorf("unknown unit %q of a histogram (s, ms, us or ns)", words[0])
	}
	read := make(Histogram, 0, len(words)-1)
	for _, word := range words[1:] {
		b, err := parseBucket(word, units[i].of)
		if err != nil {
			return err
		}
		read = append(read, b)
	}
	if err := read.Validate(); err != nil {
		return err
	}
	*h = read
	return nil
}

// parseBucket reads "1024-1032:12".
func parseBucket(word string, unit time.Duration) (b Bucket, err error) {
	edges, count, ok := strings.Cut(word, ":")
	low, high, ok2 := strings.Cut(edges, "-")
	if !ok || !ok2 {
		return b, fmt.Errorf("bucket %q is not like 1024-1032:12", word)
	}
	edge := func(text string) time.Duration {
		n, e := strconv.ParseInt(text, 10, 64)
		if e == nil && (n < 0 || n > int64(1<<63-1)/int64(unit)) {
			e = strconv.ErrRange
		}
		err = cmp.Or(err, e)
		return time.Duration(n) * unit
	}
	b.Low, b.High = edge(low), edge(high)
	n, e := strconv.ParseInt(count, 10, 64)
	if err = cmp.Or(err, e); err != nil {
		return b, fmt.Errorf("bucket %q: %w", word, err)
	}
	b.Count = n
	return b, nil
}
