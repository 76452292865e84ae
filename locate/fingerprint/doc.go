// Package fingerprint says what kind of emitter a mixture of gases resembles: it measures the composition of the excess over
// background from a survey, and compares it with reference profiles of emissions.
//
// A composition is a list of amounts (ppb, all of one plume, so that only their ratios mean something) with their standard
// errors, one for each channel of the instruments; a channel may respond to several compounds, named by their CAS registry
// numbers. Reference profiles are mole ratios. The comparison and its error model are described in
// docs/decisions/0008-fingerprint.md. Everything is safe for concurrent use once it is made.
package fingerprint
