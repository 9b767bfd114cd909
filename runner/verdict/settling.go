package verdict

import "time"

// Settling judges a claim while a change may still be on its way: an attempt
// that failed may be begun anew with fresh counts.
//
// That is not "retry until it passes": attempt r = 0, 1, 2 … gets only
// 1/((r+1)(r+2)) of alpha and of beta. These parts sum to 1, so over all
// attempts together a wrong Passed has still a probability of at most beta,
// and a wrong Failed of at most alpha. Passed at any attempt is passed. Who
// calls it holds the clock: before the deadline of convergence a failed
// attempt is restarted after Pause, after it Failed stands.
type Settling struct {
	*Test
	claim   Claim // as asked, with the whole of alpha and beta
	attempt int
}

// NewSettling returns the first attempt of the claim, or Problems.
func NewSettling(c Claim) (*Settling, error) {
	s := &Settling{claim: c}
	return s, s.begin()
}

// begin starts the attempt with its part of alpha and beta.
func (s *Settling) begin() (err error) {
	// As asked: parts of an alpha that is too large may look well.
	if ps := s.claim.Validate(); len(ps) > 0 {
		return Problems(ps)
	}
	s.Test, err = New(Attempt(s.claim, s.attempt))
	return err
}

// Attempt is the number of the present attempt, from 0.
func (s *Settling) Attempt() int { return s.attempt }

// Pause is how long to wait after this attempt before the next: 100 ms,
// doubled with every attempt.
func (s *Settling) Pause() time.Duration {
	return 100 * time.Millisecond << min(s.attempt, 20)
}

// Restart begins the next attempt with fresh counts and reports true. After
// Passed it does nothing and reports false: that stands.
func (s *Settling) Restart() bool {
	if s.state == Passed {
		return false
	}
	s.attempt++
	if err := s.begin(); err != nil {
		panic("verdict: a claim that was valid is not: " + err.Error())
	}
	return true
}
