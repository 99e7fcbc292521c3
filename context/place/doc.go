// Package place says where somebody is: inside an area, outside it, or in
// between, with hysteresis by margin and accuracy.
//
// Edges are straight lines between points in degrees, as in GeoJSON. Which side of
// an edge a fix lies on is decided in whole numbers. Distances are metres on the
// WGS 84 ellipsoid around the fix, taken as flat: within 0.1 % up to 10 km from the
// edge, and coarser farther away, where no margin reaches. The cosine is a
// polynomial, since library functions differ between chips.
//
// An edge that spans more than 180 degrees of longitude is taken the short way,
// over the antimeridian; edges along the antimeridian or at a pole, where files
// cut areas in two, are no border. A ring that goes around a pole without such an
// edge, and a circle that comes within 5 degrees of a pole, are refused.
//
// It guarantees the same answer on every chip, and no allocation per fix. Callers
// keep the Fence of each session, and hand over fixes in order of time.
package place
