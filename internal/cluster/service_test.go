package cluster_test

import (
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestServiceOf(t *testing.T) {
	const text = `apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}}
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: bank}
spec: {selector: {app: ledger}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: db, image: example.com/db:1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop}
spec: {containers: [{name: api, image: example.com/api:1}]}
`
	cl := load(t, text, cluster.Options{})
	w := container(t, cl, "api").Workload
	for host, want := range map[string]string{
		"db": "db", "db.shop": "db", "db.shop.svc": "db", "db.shop.svc.cluster.local": "db", "db-0.db": "db", "db-0.db.shop.svc": "db",
		"ledger.bank": "ledger", "ledger.bank.svc.cluster.local": "ledger",
		"ledger": "", "db.bank": "", "ledger.io": "", "other": "", "a.b.c.d": "",
	} {
		got := ""
		if s, _ := cl.ServiceOf(w, host); s != nil {
			got = s.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
	db, _ := cl.ServiceOf(w, "db")
	if selected := cl.Selected(db); len(selected) != 1 || selected[0].Name != "db" || !cluster.Near(db, w.Object) {
		t.Errorf("selected: %v", selected)
	}
	if name := cl.ServicesElsewhere(w.Object, "ledger"); len(name) != 1 {
		t.Errorf("elsewhere: %v", name)
	}
	if !cl.HasNamespace("bank") || cl.HasNamespace("elsewhere") || cl.HasNamespace("") {
		t.Error("namespaces")
	}
}
