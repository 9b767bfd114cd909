package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The latest events may be on the last of many pages; and where a page does not
// come, those of the pages before it count.
func TestEventsAreReadPageByPage(t *testing.T) {
	now := time.Now()
	const pages = 3
	broken := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := 0
		if text := r.URL.Query().Get("continue"); text != "" {
			fmt.Sscan(text, &page)
		}
		if broken && page == pages-1 {
			http.Error(w, "no more", http.StatusInternalServerError)
			return
		}
		list := corev1.EventList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "EventList"}}
		if page+1 < pages {
			list.Continue = fmt.Sprint(page + 1)
		}
		for _, name := range []string{"everywhere", fmt.Sprintf("page-%d", page), "nowhere"} {
			list.Items = append(list.Items, corev1.Event{
				InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: name},
				Type:           corev1.EventTypeWarning, Reason: "Failed", Count: 1, LastTimestamp: metav1.NewTime(now.Add(time.Duration(page) * time.Second)),
			})
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(list); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Event"), meta.RESTScopeNamespace)
	api, err := client.New(&rest.Config{Host: server.URL}, client.Options{Mapper: mapper})
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Name: "a", client: api}
	for _, broken = range []bool{false, true} {
		events, err := c.Events(t.Context(), "shop", now.Add(-time.Minute), func(object string, _ bool) bool { return object != "pod shop/nowhere" })
		want := map[bool]int64{false: pages, true: pages - 1}[broken]
		counts := make(map[string]int64)
		for _, e := range events {
			counts[e.Object] = e.Count
		}
		if broken != (err != nil) || counts["pod shop/everywhere"] != want || int64(len(counts)) != want+1 {
			t.Errorf("broken %v: %v, %v", broken, counts, err)
		}
	}
}
