import { Skeleton } from 'antd';
import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { useEffect, useRef, useState } from 'react';
import { useWords } from '../i18n';
import { useDark, useStill } from './taste';

/** A chart; ECharts itself is loaded when the first one is shown. */
export function Chart(props: { option: EChartsCoreOption; label: string; height?: number }) {
  const { option, label, height = 260 } = props;
  const isDark = useDark();
  const isStill = useStill();
  const { language } = useWords();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const [isReady, setReady] = useState(false);

  useEffect(() => {
    let isGone = false;
    const resize = new ResizeObserver(() => chart.current?.resize());
    void import('./echarts').then(({ init }) => {
      if (isGone || !place.current) return;
      const locale = language.toUpperCase();
      chart.current = init(place.current, isDark ? 'dark' : null, { locale });
      resize.observe(place.current);
      setReady(true);
    });
    return () => {
      isGone = true;
      resize.disconnect();
      chart.current?.dispose();
      chart.current = null;
      setReady(false);
    };
  }, [isDark, language]);

  useEffect(() => {
    if (!isReady) return;
    chart.current?.setOption(
      { backgroundColor: 'transparent', aria: { enabled: true }, animation: !isStill, ...option },
      { notMerge: true },
    );
  }, [option, isReady, isStill]);

  return (
    <div className="chart" style={{ height }} role="img" aria-label={label}>
      {!isReady && <Skeleton active paragraph={{ rows: 4 }} />}
      <div ref={place} style={{ height: isReady ? height : 0 }} aria-hidden />
    </div>
  );
}
