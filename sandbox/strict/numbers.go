package strict

import (
	"fmt"
	"math"
)

// Numbers reads a list of integers within [low, high]; those that are not are
// refused and left out.
func (o *Object) Numbers(name string, low, high int64) []int64 {
	var out []int64
	for i, v := range o.list(name) {
		at := fmt.Sprintf("%s[%d]", name, i)
		n, ok := v.(int64)
		if f, float := v.(float64); float && f == math.Trunc(f) && math.Abs(f) <= 1<<53 { // as encoding/json has it
			n, ok = int64(f), true
		}
		switch {
		case !ok:
			o.Refuse(at, "want an integer, not %v", v)
		case n < low || n > high:
			o.Refuse(at, "%d is not between %d and %d", n, low, high)
		default:
			out = append(out, n)
		}
	}
	return out
}
