package gateway

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// bodyLimit is how much of a request's body is kept for another attempt or for
// a copy of the request: Envoy's buffer limit of 1 MiB, beyond which it gives
// up on both.
const bodyLimit = 1 << 20

// replay is a request's body that can be read more than once: what was read
// from the client is kept, up to a limit.
type replay struct {
	from   io.Reader
	limit  int   // what is beyond it is not kept, nor what was before
	length int64 // -1 if unknown

	source sync.Mutex // held while reading from the client, which may take long

	mu   sync.Mutex
	kept []byte
	read int64
	end  error // io.EOF, or what went wrong
}

var errAbandoned = errors.New("the attempt is over")

// again gives the body from its beginning. It can as long as nothing was read,
// and once all was read and is kept: as in Envoy, a request that the client
// has not ended is not sent twice.
func (r *replay) again() (*reading, bool) {
	r.mu.Lock()
	untouched := r.read == 0
	r.mu.Unlock()
	_, whole := r.whole()
	return &reading{of: r}, untouched || whole
}

// whole gives the body when all of it was read and kept.
func (r *replay) whole() ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept, int64(len(r.kept)) == r.read && (r.end == io.EOF || r.read == r.length)
}

// reading is one attempt's way through the body. A transport may go on reading
// a little after the attempt failed; what it takes from the client then is kept
// like anything else.
type reading struct {
	of     *replay
	at     int64
	closed atomic.Bool
}

func (d *reading) Read(p []byte) (int, error) {
	if n, err := d.known(p); n > 0 || err != nil {
		return n, err
	}
	r := d.of
	r.source.Lock()
	defer r.source.Unlock()
	if n, err := d.known(p); n > 0 || err != nil { // read by another attempt meanwhile
		return n, err
	}
	n, err := r.from.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read+int64(n) <= int64(r.limit) {
		r.kept = append(r.kept, p[:n]...)
	} else {
		r.kept = nil
	}
	r.read += int64(n)
	r.end = err
	d.at += int64(n)
	return n, err
}

// known reads what was read from the client before; nothing and no error where
// there is no more of it.
func (d *reading) known(p []byte) (int, error) {
	if d.closed.Load() {
		return 0, errAbandoned
	}
	r := d.of
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.at < r.read {
		if int64(len(r.kept)) != r.read {
			return 0, errAbandoned
		}
		n := copy(p, r.kept[d.at:])
		d.at += int64(n)
		return n, nil
	}
	return 0, r.end
}

// Close ends this attempt's reading, and not the body's.
func (d *reading) Close() error {
	d.closed.Store(true)
	return nil
}
