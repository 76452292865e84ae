// Package mover finds what moves over the ground in motion imagery: grey frames in, tracks out. It names nothing and
// recognises nobody: a track is a box that moves, with its error.
//
// A frame is registered to an anchor, one of the frames before it: corners of the anchor are followed into it, and most of
// them agree on one homography, that of the ground. What is then different in three registered frames, in the middle one
// against both others, has moved. Sightings are joined to tracks by Kalman filters, in metres where a function from pixel to
// ground is given, else in pixels of the anchor, and smoothed when the track has ended.
//
// A frame is searched when the frames of the longest baseline after it are there: about a second later.
//
// What it cannot do. The ground must be near enough to a plane, and be most of what is seen. Something must clear half of
// its own length between the three frames to be seen. Something that moves exactly as the top of a structure would, along the
// line of parallax and no faster, is taken for one. What moves under burned-in symbols is not seen there.
package mover
