package kube

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func TestUntil(t *testing.T) {
	c := &Cluster{Name: "mgmt"}
	t.Run("it looks at once", func(t *testing.T) {
		looks := 0
		err := c.Until(t.Context(), time.Minute, func(context.Context) (bool, string, error) { looks++; return true, "", nil })
		if err != nil || looks != 1 {
			t.Errorf("%v after %d looks", err, looks)
		}
	})
	t.Run("what passes by itself is waited for", func(t *testing.T) {
		looks := 0
		err := c.Until(t.Context(), time.Minute, func(context.Context) (bool, string, error) {
			if looks++; looks < 3 {
				return false, "", apierrors.NewTooManyRequests("busy", 0)
			}
			return true, "", nil
		})
		if err != nil || looks != 3 {
			t.Errorf("%v after %d looks", err, looks)
		}
	})
	t.Run("an error ends it", func(t *testing.T) {
		lost := errors.New("lost")
		err := c.Until(t.Context(), time.Minute, func(context.Context) (bool, string, error) { return false, "not yet", lost })
		if !errors.Is(err, lost) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the last reason is told, and not that the last look was cut off", func(t *testing.T) {
		looks := 0
		err := c.Until(t.Context(), 150*time.Millisecond, func(ctx context.Context) (bool, string, error) {
			if looks++; looks == 1 {
				return false, "its state is PENDING", nil
			}
			<-ctx.Done()
			return false, "", ctx.Err()
		})
		var late *NotYet
		if !errors.As(err, &late) || late.Why != "its state is PENDING" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("being stopped is not being late", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := c.Until(ctx, time.Minute, func(context.Context) (bool, string, error) {
			cancel()
			return false, "its state is PENDING", nil
		})
		var late *NotYet
		if !errors.Is(err, context.Canceled) || errors.As(err, &late) || !strings.Contains(err.Error(), "PENDING") {
			t.Errorf("got %v", err)
		}
	})
}
