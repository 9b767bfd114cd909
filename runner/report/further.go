package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// widened is a sample together with what was asked after its verdict, for a
// diagnosis: the verdict stands, the numbers are of all answers.
func widened(s record.Sample) record.Sample {
	f := s.Further
	if f == nil || len(f.Counts.Outcomes) != len(s.Result.Shares) || s.Result.N == 0 {
		return s
	}
	r := s.Result
	r.N += f.Counts.Total()
	r.Shares = slices.Clone(r.Shares)
	for i := range r.Shares {
		sh := &r.Shares[i]
		sh.Count += f.Counts.Outcomes[i]
		sh.Got, sh.Low, sh.High = about(sh.Count, r.N)
	}
	r.Errors.Count += f.Counts.Errors
	r.Errors.Got, r.Errors.Low, r.Errors.High = about(r.Errors.Count, r.N)
	r.Other += f.Counts.Other
	s.Result = r
	s.Series = slices.Concat(s.Series, f.Series)
	s.Faults, s.Statuses, s.Unlisted = added(s.Faults, f.Faults), added(s.Statuses, f.Statuses), added(s.Unlisted, f.Unlisted)
	return s
}

// about is a share and what it may well be: E. B. Wilson's interval (J. Am.
// Stat. Assoc. 22, 1927) at 3.3 standard deviations.
func about(k, n int64) (got, low, high float64) {
	const z = 3.3
	x, m := float64(k), float64(n)
	got = x / m
	middle, width := x+z*z/2, z*math.Sqrt(x*(m-x)/m+z*z/4)
	return got, (middle - width) / (m + z*z), (middle + width) / (m + z*z)
}

func added(a, b map[string]int64) map[string]int64 {
	if len(a) == 0 {
		return b
	}
	sum := maps.Clone(a)
	for k, n := range b {
		sum[k] += n
	}
	return sum
}

// What it takes to say that answers have changed since the verdict: the failing
// answer ends an attempt and is always there, however rare it is, so that one
// attempt of few answers shows nothing.
const (
	leastAttempts = 3
	leastJudged   = 20
	leastFurther  = 100
)

// sinceTheVerdict names what has changed between the last attempts and what
// was asked after the verdict.
func sinceTheVerdict(s record.Sample) string {
	f := s.Further
	if f == nil || f.Counts.Total() < leastFurther {
		return ""
	}
	before := s.Counts
	if before.Total() < leastJudged {
		if len(s.Attempts) < leastAttempts {
			return ""
		}
		before = verdict.Counts{}
		for _, a := range s.Attempts {
			if len(a.Counts.Outcomes) == len(s.Result.Shares) {
				before.Add(a.Counts)
			}
		}
	}
	return difference(s.Result, before, f.Counts)
}

// furtherText is what came after the verdict, in a line, and its strip.
func furtherText(s record.Sample) string {
	line := Further(s)
	if line == "" {
		return ""
	}
	return line + "\n" + strip(record.Sample{Strip: s.Further.Strip, Every: s.Further.Every, Legend: s.Further.Legend})
}

// Further says in a line what was asked after a failed verdict of few answers;
// "" where nothing was.
func Further(s record.Sample) string {
	f := s.Further
	if f == nil || len(f.Counts.Outcomes) != len(s.Result.Shares) || f.Counts.Total() == 0 {
		return ""
	}
	n := f.Counts.Total()
	var parts []string
	for i, k := range f.Counts.Outcomes {
		if k > 0 {
			parts = append(parts, got(float64(k)/float64(n))+" "+name(s.Result.Shares[i].Name))
		}
	}
	if f.Counts.Errors > 0 {
		parts = append(parts, got(float64(f.Counts.Errors)/float64(n))+" errors")
	}
	if f.Counts.Other > 0 {
		parts = append(parts, got(float64(f.Counts.Other)/float64(n))+" not listed")
	}
	return fmt.Sprintf("asked further, for the diagnosis only: %s: %s", requests(n), strings.Join(parts, ", "))
}

// Kept says in a line that a gateway ties connections to a backend; "" where it
// does not, or nobody looked.
func Kept(s record.Sample) string {
	if s.Kept == nil || s.Kept.Balancing != verdict.Sticky {
		return ""
	}
	meaning := "the split is of connections, and a client that keeps one sees no other"
	if s.Kept.Same < allTheSame {
		meaning = "connections differ in the shares that they see"
	}
	// Where another kind of balancing looks the same, the message ends with it.
	if at := strings.Index(s.Kept.Message, " (Or "); at >= 0 {
		meaning += s.Kept.Message[at:]
	}
	return fmt.Sprintf("stickiness: on %d connections that were kept alive, requests reached the same backend %s of the time (%s if independent): %s",
		s.Kept.Connections, got(s.Kept.Same), got(s.Kept.Expected), meaning)
}

// allTheSame is from where on a connection always reaches the same backend.
const allTheSame = .999
