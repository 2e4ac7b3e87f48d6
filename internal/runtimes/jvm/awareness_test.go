package jvm

import "testing"

func TestAwareness(t *testing.T) {
	type want struct {
		blindness Blindness
		name      string
	}
	for image, w := range map[string]want{
		"openjdk:8u131-jdk":                     {Blind, "8u131"},
		"openjdk:8u181-jre-alpine":              {Blind, "8u181"},
		"openjdk:8u191-jre":                     {BlindOnV2, "8u191"},
		"openjdk:8u342":                         {BlindOnV2, "8u342"},
		"eclipse-temurin:8u372-b07-jre":         {Sees, ""},
		"eclipse-temurin:8u402-b06-jdk":         {Sees, ""},
		"openjdk:8-jre-alpine":                  {Sees, ""}, // moves on
		"openjdk:8":                             {Sees, ""},
		"java:8":                                {Blind, "8u111 or older"},
		"jenkins/jenkins:2.67":                  {Blind, "8u181 or older"},
		"jenkins/jenkins:2.67-alpine":           {Blind, "8u181 or older"},
		"jenkins/jenkins:2.150":                 {Sees, ""},
		"jenkins/jenkins:2.67-jdk11":            {Sees, ""},
		"java:7":                                {Sees, ""},
		"registry.example/java:8":               {Sees, ""},
		"openjdk:9-jre":                         {Blind, "9"},
		"openjdk:11.0.11-jre-slim":              {BlindOnV2, "11.0.11"},
		"openjdk:11.0.16-jre":                   {Sees, ""},
		"eclipse-temurin:11.0.21_9-jre":         {Sees, ""},
		"openjdk:14-alpine":                     {BlindOnV2, "14"},
		"openjdk:15":                            {Sees, ""},
		"eclipse-temurin:17.0.9_9-jre":          {Sees, ""},
		"tomcat:9.0.8-jre8":                     {Sees, ""},
		"registry.example/shop/api:1.2-jdk8u66": {Blind, "8u66"},
		"shop/api:2.11.0.3":                     {Sees, ""},
		"":                                      {Sees, ""},
	} {
		r := releaseOf(image)
		got := want{r.Blindness(), r.String()}
		if got.blindness == Sees {
			got.name = ""
		}
		if got != w {
			t.Errorf("%q: %v, want %v", image, got, w)
		}
	}
}
