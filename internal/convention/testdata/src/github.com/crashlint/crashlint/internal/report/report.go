package report

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
)

func values(s *corev1.Secret, c corev1.ConfigMap, k string) {
	_ = s.Data[k]             // want `the values of a Secret are read`
	v, ok := s.Data[k]        // want `the values of a Secret are read`
	for _, v = range s.Data { // want `the values of a Secret are read`
	}
	take(s.StringData[k])   // want `the values of a Secret are read`
	all := s.StringData     // want `the values of a Secret are read`
	_ = maps.Values(s.Data) // want `the values of a Secret are read`
	_, _, _ = v, ok, all
	take(c.Data[k])
}

func keys(s *corev1.Secret, k string) bool {
	_, ok := s.Data[k]
	if _, ok := s.StringData[k]; ok {
		return true
	}
	for key := range s.Data {
		take(key)
	}
	for range maps.Keys(s.StringData) {
	}
	return ok && len(s.Data) > 0 && s.StringData != nil
}

func take(string) {}
