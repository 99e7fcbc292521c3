// Package zones knows the calendars of the world's time zones, for customers who
// live in another zone than the policy's: edge images have no zone data.
//
// It holds one rule a zone (POSIX TZ, 17 KB for all) instead of the whole database
// of 400 KB, and for the few zones that no rule describes their list of turns. It
// guarantees that its calendars are those of that database from Since on; what a
// device decides lies after it was built.
package zones
