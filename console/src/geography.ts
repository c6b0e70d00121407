import csv from '../../data/hubs.csv?raw';
import type { Site } from './views';

/** In degrees, WGS 84. */
export interface Place {
  latitude: number;
  longitude: number;
}

export interface City extends Place {
  name: string;
}

/** The cities of the national hubs, out of data/hubs.csv; good to about 5 km. */
export const hubs: readonly City[] = parseHubs(csv);

/** The cities of a table with the columns city, lon and lat. */
export function parseHubs(text: string): City[] {
  const [head = '', ...rows] = text.trim().split(/\r?\n/);
  const names = head.split(',');
  const [city, lon, lat] = ['city', 'lon', 'lat'].map((name) => names.indexOf(name));
  return rows.map((row) => {
    const cells = row.split(',');
    // A stand-in is marked behind the name: "嘉兴(代理点)".
    const name = (cells[city!] ?? '').replace(/\(.*\)$/, '');
    return { name, longitude: Number(cells[lon!]), latitude: Number(cells[lat!]) };
  });
}

/** Where a site is: by its coordinates, else by its city if that is a hub's; else null. */
export function placeOf(site: Site): Place | null {
  if (site.latitude_micro !== 0 || site.longitude_micro !== 0) {
    return { latitude: site.latitude_micro / 1e6, longitude: site.longitude_micro / 1e6 };
  }
  return hubs.find((hub) => hub.name === site.city) ?? null;
}

const earthKm = 6371.0088;
const radians = (degrees: number) => (degrees * Math.PI) / 180;
const degrees = (angle: number) => (angle * 180) / Math.PI;

/** Along a great circle. */
export function distanceKm(a: Place, b: Place): number {
  const [p, q] = [radians(a.latitude), radians(b.latitude)];
  const h =
    Math.sin((q - p) / 2) ** 2 +
    Math.cos(p) * Math.cos(q) * Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  return 2 * earthKm * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Light in fibre, and how much longer a route is than the straight line: an assumption. */
export const fibreKmPerMs = 204;
export const routeFactor = 1.5;

/** Circles of latency (时延圈), one way. */
export const circles = [
  { name: 'city', ms: 1 },
  { name: 'region', ms: 5 },
  { name: 'national', ms: 20 },
] as const;

/** How far one way of `ms` reaches, estimated. */
export const radiusKm = (ms: number): number => (fibreKmPerMs * ms) / routeFactor;

/** How long one way takes, estimated. */
export const oneWayMs = (km: number): number => (km * routeFactor) / fibreKmPerMs;

/** The smallest circle that reaches so far; "beyond" all of them. */
export function circleAt(km: number): (typeof circles)[number]['name'] | 'beyond' {
  return circles.find(({ ms }) => km <= radiusKm(ms))?.name ?? 'beyond';
}

export type Point = [longitude: number, latitude: number];

/** Where one gets from a place after so many kilometres; bearing 0 is north, 90 east. */
export function travel(from: Place, km: number, bearing: number): Point {
  const [p, angle, turn] = [radians(from.latitude), km / earthKm, radians(bearing)];
  const sine = Math.sin(p) * Math.cos(angle) + Math.cos(p) * Math.sin(angle) * Math.cos(turn);
  const east = Math.atan2(
    Math.sin(turn) * Math.sin(angle) * Math.cos(p),
    Math.cos(angle) - Math.sin(p) * sine,
  );
  return [from.longitude + degrees(east), degrees(Math.asin(sine))];
}

/** A closed line around a place. */
export function ring(around: Place, km: number, corners = 120): Point[] {
  return Array.from({ length: corners + 1 }, (_, i) => travel(around, km, (360 * i) / corners));
}

/** What a map shows, in degrees. */
export interface Frame {
  west: number;
  east: number;
  south: number;
  north: number;
}

const china: Frame = { west: 73, east: 135.5, south: 17.5, north: 54 };
const margin = 2;

/**
 * What a plot of this shape (width / height) shows so that China and all places are on it, and a
 * kilometre is as long to the north as to the east in its middle: equirectangular, with longitudes
 * shortened by the cosine of the middle latitude.
 */
export function frameOf(shape: number, places: readonly Place[] = []): Frame {
  const box = places.reduce(
    (frame, { latitude, longitude }) => ({
      west: Math.min(frame.west, longitude - margin),
      east: Math.max(frame.east, longitude + margin),
      south: Math.min(frame.south, latitude - margin),
      north: Math.max(frame.north, latitude + margin),
    }),
    china,
  );
  const middle = { x: (box.west + box.east) / 2, y: (box.south + box.north) / 2 };
  const shrink = Math.cos(radians(middle.y));
  const wide = (box.east - box.west) * shrink;
  const high = Math.max(box.north - box.south, wide / shape);
  const half = { x: (high * shape) / shrink / 2, y: high / 2 };
  return {
    west: middle.x - half.x,
    east: middle.x + half.x,
    south: middle.y - half.y,
    north: middle.y + half.y,
  };
}

/** True of a point on the map that is not at its very edge. */
export function isOn(frame: Frame, [longitude, latitude]: Point): boolean {
  return (
    longitude > frame.west + margin && longitude < frame.east - margin &&
    latitude > frame.south + margin && latitude < frame.north - margin
  );
}
