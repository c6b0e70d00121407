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
