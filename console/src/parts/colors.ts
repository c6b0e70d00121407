import type { JobState } from '../views';

export const stateColors: Record<JobState, string> = {
  queued: '#8c8c8c',
  reserving: '#13a8a8',
  staging: '#2f9bd6',
  running: '#1668dc',
  stopping: '#d48806',
  unreachable: '#d4591a',
  lost: '#a8326e',
  finished: '#3c9a2b',
  failed: '#d32029',
  cancelled: '#6b6f76',
};

export const chartBlue = '#1668dc';
export const chartTeal = '#13a8a8';
export const chartSand = '#d9a441';
export const chartGrey = '#b9c0cb';

/** How much of a site can be had now; none = nothing is offered, or it cannot be reached. */
export const availabilities = ['plenty', 'some', 'little', 'none'] as const;
export type Availability = (typeof availabilities)[number];

export const availabilityColors: Record<Availability, string> = {
  plenty: '#3c9a2b',
  some: '#c98a12',
  little: '#d32029',
  none: '#8c8c8c',
};
