import { useSyncExternalStore } from 'react';

/** Where the console is: "#/jobs/job-42?tab=logs" is {page: "jobs", id: "job-42", query: tab}. */
export interface Route {
  page: string;
  id: string;
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [place = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', id = ''] = place.split('/').map(unescape);
  return { page, id, query: new URLSearchParams(search) };
}

export function printRoute(page: string, id = '', query: Record<string, string> = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== '');
  const search = new URLSearchParams(pairs).toString();
  return `#/${page}${id && `/${encodeURIComponent(id)}`}${search && `?${search}`}`;
}

export function go(page: string, id = '', query: Record<string, string> = {}): void {
  location.hash = printRoute(page, id, query);
}

/** Changes the query of the present page without adding a step to the history. */
export function replaceQuery(query: Record<string, string>): void {
  const { page, id } = parseRoute(location.hash);
  history.replaceState(null, '', printRoute(page, id, query));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (changed) => {
      addEventListener('hashchange', changed);
      return () => removeEventListener('hashchange', changed);
    },
    () => location.hash,
  );
  return parseRoute(hash);
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
