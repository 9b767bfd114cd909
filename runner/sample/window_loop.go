package sample

// The loop is the only one who hands out numbers, and does so without asking
// the window each time: it asks how far it may go.

// putAll takes what came back and returns the first number for which there is
// no room yet. Waking whoever takes costs more than all the rest, so it is said
// whether that is to be done now; if not, it must be done soon.
func (w *window) putAll(batch []Observation, wake bool) (room int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range batch {
		at := batch[i].Number % int64(len(w.ring))
		w.ring[at], w.filled[at] = batch[i], true
	}
	if wake && w.filled[w.head%int64(len(w.ring))] {
		w.ready.Signal()
	}
	return w.head + int64(len(w.ring))
}
