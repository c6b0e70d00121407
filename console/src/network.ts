import type { MemberView, PoolView, Site } from './views';

/** What there is of capacity, in thousandths of cards and cores. Closed pools do not count. */
export interface Capacity {
  pools: number;
  cards_total_milli: number;
  cards_free_milli: number;
  cpu_total_milli: number;
  cpu_free_milli: number;
}

/**
 * A node of the tree below this domain. The members are known; what is below a member of kind
 * domain is known by the names of its sites alone: "member.sub.site".
 */
export interface Branch {
  /** Unique in the tree. */
  key: string;
  /** As it is called by the one above it. */
  name: string;
  /** As it is called here. */
  full: string;
  kind: 'engine' | 'domain' | 'site';
  /** Only of a member of this domain. */
  member?: MemberView;
  /** Only of a site. */
  site?: Site;
  capacity: Capacity;
  /** With open pools, here or below. */
  sites: number;
  children?: Branch[];
}

export const nothing: Capacity = {
  pools: 0, cards_total_milli: 0, cards_free_milli: 0, cpu_total_milli: 0, cpu_free_milli: 0,
};

/** The capacity of each site, by its id. */
export function capacityBySite(pools: readonly PoolView[]): Map<string, Capacity> {
  const sites = new Map<string, Capacity>();
  for (const view of pools) {
    if (view.pool.state === 'closed') continue;
    const old = sites.get(view.pool.site) ?? nothing;
    sites.set(view.pool.site, sum([old, capacityOf(view)]));
  }
  return sites;
}

/** How much of it is free, by its cards if it has any, else by its cores; null of nothing. */
export function freeShare(capacity: Capacity): number | null {
  const { cards_total_milli, cards_free_milli, cpu_total_milli, cpu_free_milli } = capacity;
  if (cards_total_milli > 0) return cards_free_milli / cards_total_milli;
  return cpu_total_milli > 0 ? cpu_free_milli / cpu_total_milli : null;
}

/** The member of kind domain that a site came through: the one its name begins with. */
export function memberOf(site: string, members: readonly MemberView[]): MemberView | undefined {
  return members.find((member) => member.kind === 'domain' && site.startsWith(`${member.name}.`));
}

/** The members with the sites below them; who waits for an answer comes first. */
export function treeOf(
  members: readonly MemberView[],
  sites: readonly Site[],
  pools: readonly PoolView[],
): Branch[] {
  const capacities = capacityBySite(pools);
  const engines = new Map(pools.map((view) => [view.pool.site, view.pool.member]));
  const leaves = new Map<MemberView, Branch[]>();
  for (const site of sites) {
    const member =
      memberOf(site.name, members) ?? members.find((each) => each.id === engines.get(site.id));
    if (!member) continue;
    const leaf = leafOf(site, capacities.get(site.id) ?? nothing);
    leaves.set(member, [...(leaves.get(member) ?? []), leaf]);
  }
  return members
    .map((member) => branchOf(member, leaves.get(member) ?? []))
    .sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name));
}

/** The keys of all branches that have others below them. */
export function forks(tree: readonly Branch[]): string[] {
  return tree.flatMap((branch) =>
    branch.children ? [branch.key, ...forks(branch.children)] : [],
  );
}

const ranks: Record<string, number> = { asked: 0, '': 1, approved: 1, refused: 2 };
const rank = (branch: Branch) => ranks[branch.member?.state ?? ''] ?? 1;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function capacityOf(view: PoolView): Capacity {
  return {
    pools: 1,
    cards_total_milli: view.cards_total * 1000,
    cards_free_milli: view.cards_free_milli,
    cpu_total_milli: view.pool.cpu_milli_per_node * view.pool.nodes,
    cpu_free_milli: view.cpu_free_milli,
  };
}

export function sum(all: readonly Capacity[]): Capacity {
  return all.reduce(
    (a, b) => ({
      pools: a.pools + b.pools,
      cards_total_milli: a.cards_total_milli + b.cards_total_milli,
      cards_free_milli: a.cards_free_milli + b.cards_free_milli,
      cpu_total_milli: a.cpu_total_milli + b.cpu_total_milli,
      cpu_free_milli: a.cpu_free_milli + b.cpu_free_milli,
    }),
    nothing,
  );
}

function leafOf(site: Site, capacity: Capacity): Branch {
  const { name } = site;
  const sites = Math.min(1, capacity.pools);
  return { key: `site ${name}`, name, full: name, kind: 'site', site, capacity, sites };
}

function branchOf(member: MemberView, leaves: readonly Branch[]): Branch {
  const isDomain = member.kind === 'domain';
  const children = isDomain ? grow(member.name, leaves) : [...leaves].sort(byName);
  return {
    ...above(member.name, member.name, children),
    key: `member ${member.name}`,
    kind: isDomain ? 'domain' : 'engine',
    member,
  };
}

// Those below `prefix`: its own sites, and a domain for each further part of the names.
function grow(prefix: string, leaves: readonly Branch[]): Branch[] {
  const own: Branch[] = [];
  const deeper = new Map<string, Branch[]>();
  for (const leaf of leaves) {
    const rest = leaf.full.slice(prefix.length + 1);
    const dot = rest.indexOf('.');
    if (dot < 0) own.push({ ...leaf, name: rest });
    else deeper.set(rest.slice(0, dot), [...(deeper.get(rest.slice(0, dot)) ?? []), leaf]);
  }
  const domains = [...deeper].map(([name, below]) => {
    const full = `${prefix}.${name}`;
    return above(name, full, grow(full, below));
  });
  return [...domains.sort(byName), ...own.sort(byName)];
}

const byName = (a: Branch, b: Branch) => compare(a.name, b.name);

function above(name: string, full: string, children: Branch[]): Branch {
  return {
    key: `domain ${full}`,
    name,
    full,
    kind: 'domain',
    capacity: sum(children.map((child) => child.capacity)),
    sites: children.reduce((count, child) => count + child.sites, 0),
    ...(children.length > 0 && { children }),
  };
}
