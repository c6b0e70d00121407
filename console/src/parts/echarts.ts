import { BarChart, LinesChart, PieChart, ScatterChart } from 'echarts/charts';
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
} from 'echarts/components';
import { init, use } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';

// Only what the console draws: the rest of ECharts stays out of the bundle.
use([
  AriaComponent, BarChart, GridComponent, LabelLayout, LegendComponent, LinesChart, PieChart,
  ScatterChart, SVGRenderer, TooltipComponent,
]);

export { init };
