package jvm

import (
	"testing"

	"github.com/crashlint/crashlint/internal/images"
)

func releaseOf(image string) Release {
	facts, _ := images.Builtin().Lookup(image)
	r, _ := ReleaseOf(image, facts)
	return r
}

func TestReleaseOf(t *testing.T) {
	for image, want := range map[string]int{
		"eclipse-temurin:17-jre-alpine":              17,
		"eclipse-temurin:21":                         21,
		"openjdk:8u292-jdk":                          8,
		"openjdk:11.0.16-slim":                       11,
		"registry.example/proxy/library/openjdk:8":   8,
		"registry.example/openjdk:8":                 0, // nobody says what stands there
		"tomcat:9.0-jdk11":                           11,
		"tomcat:9.0-jre8-alpine":                     8,
		"tomcat:10":                                  0,
		"gcr.io/distroless/java17-debian12:nonroot":  17,
		"quay.io/wildfly/wildfly:36.0.0.Final-jdk21": 21,
		"app:2.3-java-1.8":                           8,
		"app:2.3":                                    0,
		"java:8":                                     8,
		"amazoncorretto:17.0.9":                      17,
		"bitnami/java:1.8.402-debian-12":             8,
		"shop/java-21-service:1.0":                   21,
		"shop/java-2-service:1.0":                    0,
		"app:jdk99":                                  0,
		"apachepulsar/pulsar:2.7.2":                  8,
		"apachepulsar/pulsar-all:2.9.0":              11,
		"apachepulsar/pulsar:3.0.4":                  17,
		"apachepulsar/pulsar:3":                      0, // 17 or 21
		"confluentinc/cp-kafka:7.6.1":                11,
		"confluentinc/cp-zookeeper:7.9.2":            17,
		"cassandra:3.11.6":                           8,
		"cassandra:latest":                           0,
		"zookeeper:3.8.4-jre-17":                     17,
		"jenkins/jenkins:2.414.2-lts":                11,
		"jenkins/jenkins:2.414.2-jdk17":              17,
		"A b":                                        0,
	} {
		if got := releaseOf(image).Feature; got != want {
			t.Errorf("%s: %d, want %d", image, got, want)
		}
	}
}

func TestHotSpot(t *testing.T) {
	for image, want := range map[string]bool{
		"eclipse-temurin:17": true, "ibm-semeru-runtimes:open-17-jre": false, "adoptopenjdk:11-jre-openj9": false, "app": true,
	} {
		if HotSpot(image) != want {
			t.Errorf("%s: %v", image, !want)
		}
	}
}
