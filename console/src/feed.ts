import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Notice } from './views';
import type { WatchStatus } from './watch';

const keptMax = 200;

/** The latest notices of the domain and how well we hear it; shared by all pages. */
export class Feed {
  /** Newest first. */
  notices: readonly Notice[] = [];
  status: WatchStatus = { state: 'connecting', failures: 0, retryAt: 0 };
  private readonly listeners = new Set<(notice: Notice | null) => void>();
  private readonly watchers = new Set<() => void>();

  push(notice: Notice): void {
    this.notices = [notice, ...this.notices.slice(0, keptMax - 1)];
    for (const listener of this.listeners) listener(notice);
    this.changed();
  }

  /** Notices may have been missed: everything shown is to be read again. */
  missed(): void {
    for (const listener of this.listeners) listener(null);
  }

  tell(status: WatchStatus): void {
    this.status = status;
    this.changed();
  }

  /** Calls `listener` for each notice, and with null after `missed`; returns the way to stop. */
  listen(listener: (notice: Notice | null) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  private changed(): void {
    for (const watcher of this.watchers) watcher();
  }
}

export const FeedContext = createContext<Feed>(new Feed());
export const useFeed = (): Feed => useContext(FeedContext);

export function useNotices(): readonly Notice[] {
  const feed = useFeed();
  return useSyncExternalStore(feed.watch, () => feed.notices);
}

export function useWatchStatus(): WatchStatus {
  const feed = useFeed();
  return useSyncExternalStore(feed.watch, () => feed.status);
}
