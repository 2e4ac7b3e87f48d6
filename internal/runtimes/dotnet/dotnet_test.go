package dotnet

import (
	"testing"

	"github.com/crashlint/crashlint/internal/cluster"
)

func TestLimit(t *testing.T) {
	type variables map[string]string
	for _, c := range []struct {
		env            variables
		bytes, percent uint64
		by             string
	}{
		{variables{}, 0, 0, ""},
		{variables{"DOTNET_GCHeapHardLimit": "0x20000000"}, 512 << 20, 0, "DOTNET_GCHeapHardLimit"},
		{variables{"COMPlus_GCHeapHardLimit": "20000000"}, 512 << 20, 0, "COMPlus_GCHeapHardLimit"},
		{variables{"DOTNET_GCHeapHardLimit": "100", "COMPlus_GCHeapHardLimit": "200"}, 256, 0, "DOTNET_GCHeapHardLimit"},
		{variables{"DOTNET_GCHeapHardLimit": "512Mi"}, 0, 0, ""},
		{variables{"DOTNET_GCHeapHardLimit": "512Mi", "DOTNET_GCHeapHardLimitPercent": "4B"}, 0, 75, "DOTNET_GCHeapHardLimitPercent"},
		{variables{"DOTNET_GCHeapHardLimit": "0", "DOTNET_GCHeapHardLimitPercent": "60"}, 0, 96, "DOTNET_GCHeapHardLimitPercent"},
		{variables{"DOTNET_GCHeapHardLimit": "0x20000000", "DOTNET_GCHeapHardLimitPercent": "4B"}, 512 << 20, 0, "DOTNET_GCHeapHardLimit"},
		{variables{"DOTNET_GCHeapHardLimitPercent": "100"}, 0, 0, ""},
	} {
		var env cluster.Environment
		for name, value := range c.env {
			env.Variables = append(env.Variables, cluster.Variable{Name: name, Value: value, Known: true})
		}
		if l, _ := Limit(env); l.Bytes != c.bytes || l.Percent != c.percent || l.By.Name != c.by {
			t.Errorf("%v: %+v", c.env, l)
		}
	}
}
