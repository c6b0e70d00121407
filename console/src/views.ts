/**
 * What the HTTP API answers: the records of `src/api/views.h`, field by field.
 * Money is a decimal string of CNY, a Span a number of seconds, a Moment RFC 3339 in UTC, an id a
 * string such as "job-42". A moment never set and an id that names nothing are null.
 */

export type Money = string;
export type Moment = string | null;
export type Id = string | null;
export type Span = number;

export const jobStates = [
  'queued', 'reserving', 'staging', 'running', 'stopping',
  'unreachable', 'lost', 'finished', 'failed', 'cancelled',
] as const;
export type JobState = (typeof jobStates)[number];

export const roles = ['operator', 'provider', 'consumer', 'auditor'] as const;
export type Role = (typeof roles)[number];

export interface Accepted {
  id: string;
  sequence: number;
  secret?: string;
}

export interface Rejection {
  reason: string;
  text: string;
  count: number;
}

export interface Change {
  field: string;
  from: string;
  to: string;
  text: string;
  pool: string;
}

export interface Price {
  card_hour: Money;
  core_hour: Money;
}

export interface Candidate {
  pool: string;
  pool_id: Id;
  region: string;
  chip: string;
  alternative: string;
  nodes: number;
  hourly_cost: Money;
  price: Price;
  is_firm: boolean;
  starts_now: boolean;
  reading_age: Span;
  score: string[];
  rtt: Span;
  rtt_is_estimated: boolean;
}

export interface Usage {
  wall: Span;
  cpu: Span;
  memory_peak_bytes: number;
  priced: Span;
}

export interface AttemptView {
  number: number;
  state: string;
  pool: string;
  lease: Id;
  started: Moment;
  ended: Moment;
  end: string;
  exit_code: number;
  usage: Usage;
  cost: Money;
  reason: string;
}

export interface TaskView {
  task: number;
  state: JobState;
  attempts: AttemptView[];
}

export interface JobView {
  id: string;
  name: string;
  project: string;
  user: string;
  kind: 'batch' | 'service';
  state: JobState;
  reason: string;
  exit_code: number;
  submitted: Moment;
  started: Moment;
  ended: Moment;
  pool: string;
  chip: string;
  card_milli: number;
  cpu_milli: number;
  memory_bytes: number;
  nodes: number;
  elements: number;
  hourly_cost: Money;
  held: Money;
  cost: Money;
  budget: Money;
  max_duration: Span;
  sequence: number;
  tasks: TaskView[];
}

export interface JobList {
  sequence: number;
  jobs: JobView[];
  next: string;
}

export interface WhyView {
  id: string;
  state: JobState;
  text: string;
  pools: number;
  rejected: Rejection[];
  changes: Change[];
  nothing_helps: boolean;
  ahead: number;
  chosen: Candidate;
  alternatives: Candidate[];
  history: string[];
}

/** One value for each hour from `from` on. */
export interface Hourly {
  from: Moment;
  values: number[];
}

export interface Pool {
  id: string;
  site: string;
  member: string;
  name: string;
  chip: string;
  nodes: number;
  cards_per_node: number;
  cpu_milli_per_node: number;
  memory_bytes_per_node: number;
  disk_bytes_per_node: number;
  network_tier: 'standard' | 'rdma' | 'best';
  price: Price;
  is_firm: boolean;
  state: 'production' | 'draining' | 'closed';
  remote: string;
  runs_images: boolean;
  moves_data: boolean;
  stores: string[];
  rates: Hourly;
  spot_milli: number;
}

export interface PoolView {
  pool: Pool;
  name: string;
  region: string;
  city: string;
  member: string;
  cards_total: number;
  cards_free_milli: number;
  cpu_free_milli: number;
  memory_free_bytes: number;
  nodes_free: number;
  fp16_tflops_dense: number;
  flops_source: string;
}

export interface PoolList {
  sequence: number;
  pools: PoolView[];
}

export interface MemberView {
  id: Id;
  name: string;
  kind: string;
  health: string;
  incarnation: number;
  pools: number;
  running: number;
  note: string;
  state: string;
  fingerprint: string;
  connected: boolean;
  since: Moment;
  heard: Moment;
  problem: string;
  rtt_p50: Span;
  rtt_p99: Span;
  sites: number;
}

export interface ParentView {
  id: string;
  name: string;
  fingerprint: string;
  connected: boolean;
  since: Moment;
  heard: Moment;
  problem: string;
  rtt_p50: Span;
  rtt_p99: Span;
}

export interface MemberList {
  sequence: number;
  members: MemberView[];
  parents: ParentView[];
}

export interface Site {
  id: string;
  name: string;
  city: string;
  region: string;
  latitude_micro: number;
  longitude_micro: number;
  pue_milli: number;
  carbon_g_per_kwh: number;
  is_draining: boolean;
  carbon_hours: Hourly;
}

export interface DomainView {
  name: string;
  version: string;
  sequence: number;
  hash: string;
  started: Moment;
  sites: Site[];
  members: MemberView[];
  jobs_queued: number;
  jobs_running: number;
  jobs_ended: number;
  cards_total: number;
  cards_free_milli: number;
  cpu_total_milli: number;
  cpu_free_milli: number;
}

export interface ProjectView {
  id: string;
  name: string;
  organisation: string;
  available: Money;
  held: Money;
  charged: Money;
}

export interface ProjectList {
  sequence: number;
  projects: ProjectView[];
}

export interface KeyView {
  id: string;
  user: string;
  organisation: string;
  role: string;
  label: string;
  created: Moment;
  revoked: Moment;
}

export interface KeyList {
  sequence: number;
  keys: KeyView[];
}

export interface PostingView {
  sequence: number;
  at: Moment;
  kind: string;
  from: string;
  to: string;
  amount: Money;
  job: Id;
  text: string;
}

export interface PostingList {
  sequence: number;
  postings: PostingView[];
  next: string;
}

export interface ChargeView {
  job: string;
  task: number;
  attempt: number;
  sub_account_name: string;
  resource_name: string;
  charge_period_start: Moment;
  charge_period_end: Moment;
  consumed_unit: string;
  consumed_quantity: number;
  list_unit_price: Money;
  billed_cost: Money;
  charge_description: string;
  pricing_quantity: number;
}

export interface CostView {
  sequence: number;
  charges: ChargeView[];
  total: Money;
  next: string;
}

export interface MeView {
  user: string;
  organisation: string;
  role: string;
  projects: string[];
}

export interface Notice {
  sequence: number;
  at: Moment;
  event: string;
  job: Id;
  state: JobState;
}

/** One of several mistakes. */
export interface Mistake {
  detail: string;
  pointer: string;
  suggestion: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  pointer: string;
  suggestion: string;
  errors: Mistake[];
}

/** False for a moment that was never set. */
export function isSet(moment: Moment): moment is string {
  return !!moment;
}

/** False for an id that names nothing. */
export function isNamed(id: Id): id is string {
  return !!id;
}

/** True once a job can never change its state again. */
export function isOver(state: JobState): boolean {
  return state === 'finished' || state === 'failed' || state === 'cancelled';
}

/** True while a job has not been placed yet. */
export function isWaiting(state: JobState): boolean {
  return state === 'queued' || state === 'reserving';
}
