{{/* The operators that share the targets: of each, its suffix in names and its WFE_SHARD. */}}
{{- define "workflowexecution.parts" -}}
{{- $count := int .Values.shards -}}
{{- $parts := list -}}
{{- range $number := untilStep 1 (int (add1 $count)) 1 -}}
{{- $name := printf "%d-of-%d" $number $count -}}
{{- $parts = append $parts (dict "label" $name "suffix" (printf "-%s" $name) "shard" (printf "%d/%d" $number $count)) -}}
{{- end -}}
{{- if eq $count 1 -}}
{{- $parts = list (dict "label" "" "suffix" "" "shard" "") -}}
{{- end -}}
{{- $parts | toJson -}}
{{- end -}}
