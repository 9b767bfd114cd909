package resync

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The time of these tests is the bubble's: nothing waits.

func TestChangesThatComeTogetherAreOnePieceOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		l := New("test", 20*time.Millisecond, slog.New(slog.DiscardHandler))
		done := 0
		go l.Run(ctx, func(context.Context) error { done++; return nil })
		synctest.Wait()
		if done != 0 {
			t.Errorf("worked %d times before anything had changed", done)
		}
		for range 5 {
			l.Changed()
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		// What came while the first piece was gathered may be a second one.
		if done < 1 || done > 2 {
			t.Errorf("five changes together are %d pieces of work, want 1 or 2", done)
		}
		before := done
		l.Changed()
		time.Sleep(time.Second)
		synctest.Wait()
		if done != before+1 {
			t.Errorf("one later change is %d pieces of work, want 1", done-before)
		}
	})
}

func TestWhatFailsIsDoneAgainLaterEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		l := New("test", 0, slog.New(slog.DiscardHandler))
		began := time.Now()
		var at []time.Duration
		go l.Run(ctx, func(context.Context) error {
			if at = append(at, time.Since(began)); len(at) < 10 {
				return errors.New("not today")
			}
			return nil
		})
		l.Changed()
		time.Sleep(time.Hour)
		synctest.Wait()
		var waits []time.Duration
		for i := range at[1:] {
			waits = append(waits, at[i+1]-at[i])
		}
		want := []time.Duration{First, 2 * First, 4 * First, 8 * First, 16 * First, 32 * First, 64 * First, Longest, Longest}
		if !slices.Equal(waits, want) {
			t.Errorf("waited %v, want %v", waits, want)
		}
	})
}
